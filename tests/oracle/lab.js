// What the lab's script says of models: run after it, by Node or in a page, as `answers(input)`.
const answers = ({ models, shapes }) => ({
  models: models.map((one) => {
    const state = tegumLab.stateOf(one.address), { n, m } = state, gradient = new Float64Array(n * m + n);
    const loss = new tegumLab.Loss(tegumLab.distributionOf(state), state.net === "relu");
    const b = state.b ?? new Float64Array(n);
    const found = loss.withGradient(state.W, b, m, tegumLab.EXACT, gradient.subarray(0, n * m), gradient.subarray(n * m));
    return { loss: found.loss, error: found.error, gradient: [...gradient], address: tegumLab.addressOf(state) };
  }),
  shapes: shapes.map(({ W, m, n }) => {
    const { label, polytope, names } = tegumLab.shapesOf(Float64Array.from(W), m, n);
    return { label, polytope, names };
  }),
});
