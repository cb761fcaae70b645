// Small matrices, as arrays of columns: singular values, turns, assignments.

/** @typedef {number[][]} Columns a matrix by its columns, all of one length */

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The columns of a matrix that is stored row by row, (m, n).
 * @param {ArrayLike<number>} W @param {number} m @param {number} n @returns {Columns} */
export function columnsOf(W, m, n) {
  return Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, k) => W[k * n + i]));
}

/** The rows of a matrix, as columns.
 * @param {Columns} A @returns {Columns} */
export function transposed(A) {
  return Array.from({ length: A[0].length }, (_, k) => A.map((column) => column[k]));
}

/** A = U S V^T by one-sided Jacobi rotations, for at least as many rows as columns; sizes largest first.
 * @param {Columns} A @returns {{ left: Columns, sizes: number[], right: Columns }} */
export function decomposed(A) {
  const U = A.map((column) => column.slice()), n = U.length;
  const V = U.map((_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 40; sweep++) {
    let moved = false;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const a = dot(U[p], U[p]), b = dot(U[q], U[q]), c = dot(U[p], U[q]);
        if (Math.abs(c) <= 1e-15 * Math.sqrt(a * b) || c === 0) continue;
        moved = true;
        const zeta = (b - a) / (2 * c), t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cos = 1 / Math.sqrt(1 + t * t), sin = cos * t;
        for (const M of [U, V])
          for (let i = 0; i < M[p].length; i++) {
            const one = M[p][i], other = M[q][i];
            M[p][i] = cos * one - sin * other;
            M[q][i] = sin * one + cos * other;
          }
      }
    if (!moved) break;
  }
  const order = [...U.keys()].map((i) => ({ i, size: Math.sqrt(dot(U[i], U[i])) })).sort((x, y) => y.size - x.size);
  const largest = order[0]?.size || 1;
  /** @type {Columns} */
  const left = [];
  for (const { i, size } of order) left.push(size > 1e-12 * largest ? U[i].map((x) => x / size) : completing(left, U[i].length));
  return { left, sizes: order.map(({ size }) => size), right: order.map(({ i }) => V[i]) };
}

/** A unit vector that is orthogonal to those given.
 * @param {Columns} others @param {number} length */
function completing(others, length) {
  let best = Array(length).fill(0), most = -1;
  for (let axis = 0; axis < length; axis++) {
    const rest = Array.from({ length }, (_, k) => (k === axis ? 1 : 0));
    for (const other of others) {
      const along = other[axis];
      for (let k = 0; k < length; k++) rest[k] -= along * other[k];
    }
    const size = dot(rest, rest);
    if (size > most) {
      most = size;
      best = rest.map((x) => x / Math.sqrt(size || 1));
    }
  }
  return best;
}

/** Singular values, largest first, of any matrix.
 * @param {Columns} A */
export function singularValues(A) {
  return decomposed(A.length > A[0].length ? transposed(A) : A).sizes;
}

/** The turned template: Q template for the orthogonal Q that brings it nearest to U, point by point in the order given.
 * @param {Columns} U points in m dimensions @param {Columns} template as many points in at most m dimensions */
export function turned(U, template) {
  return laidOn(turnBetween(U, template), template);
}

/** That Q, by its columns.
 * @param {Columns} U @param {Columns} template */
export function turnBetween(U, template) {
  const m = U[0].length, r = template[0].length;
  const cross = Array.from({ length: r }, (_, a) => {
    const column = Array(m).fill(0);
    for (let i = 0; i < U.length; i++) for (let k = 0; k < m; k++) column[k] += U[i][k] * template[i][a];
    return column;
  });
  const { left, right } = decomposed(cross);
  return Array.from({ length: r }, (_, a) =>
    Array.from({ length: m }, (_, k) => left.reduce((sum, column, l) => sum + column[k] * right[l][a], 0)),
  );
}

/** @param {Columns} turn @param {Columns} points */
export function laidOn(turn, points) {
  return points.map((point) => turn[0].map((_, k) => point.reduce((sum, x, a) => sum + x * turn[a][k], 0)));
}

/** For each row the column it is assigned to, so that the sum of costs is least (Kuhn and Munkres, with potentials).
 * @param {number[][]} cost */
export function assigned(cost) {
  const n = cost.length, u = Array(n + 1).fill(0), v = Array(n + 1).fill(0), match = Array(n + 1).fill(0), way = Array(n + 1).fill(0);
  for (let i = 1; i <= n; i++) {
    match[0] = i;
    let j0 = 0;
    const least = Array(n + 1).fill(Infinity), used = Array(n + 1).fill(false);
    do {
      used[j0] = true;
      const i0 = match[j0];
      let delta = Infinity, j1 = 0;
      for (let j = 1; j <= n; j++) {
        if (used[j]) continue;
        const reduced = cost[i0 - 1][j - 1] - u[i0] - v[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          way[j] = j0;
        }
        if (least[j] < delta) {
          delta = least[j];
          j1 = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (used[j]) {
          u[match[j]] += delta;
          v[j] -= delta;
        } else least[j] -= delta;
      }
      j0 = j1;
    } while (match[j0] !== 0);
    do {
      const j1 = way[j0];
      match[j0] = match[j1];
      j0 = j1;
    } while (j0);
  }
  const column = Array(n).fill(0);
  for (let j = 1; j <= n; j++) column[match[j] - 1] = j - 1;
  return column;
}
