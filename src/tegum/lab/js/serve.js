// The simulation behind messages: in a worker, so that the page never stalls, or, where a page may have none, beside it.

import { Simulation } from "./simulation.js";

/** @typedef {import("./address.js").State} State */
/**
 * @typedef {{ kind: "set", state: State } | { kind: "reset" } | { kind: "hold", feature: number, place: number[] | null }
 *   | { kind: "tick", amount: number, milliseconds: number, exact: boolean } | { kind: "single" }} Message
 */

/** What answers messages; a frame answers a tick, and nothing else does.
 * @param {(frame: import("./simulation.js").Frame) => void} send */
export function answering(send) {
  /** @type {Simulation | null} */
  let simulation = null;
  return (/** @type {Message} */ message) => {
    if (message.kind === "set") {
      if (simulation) simulation.set(message.state);
      else simulation = new Simulation(message.state);
    }
    if (!simulation) return;
    if (message.kind === "reset") simulation.place({ ...simulation.state, W: null, b: null });
    if (message.kind === "hold") simulation.hold(message.feature, message.place);
    if (message.kind === "single") simulation.single();
    if (message.kind !== "tick") return;
    simulation.advance(message.amount, message.milliseconds);
    send(simulation.frame(message.exact));
  };
}

/** Serves in a worker.
 * @param {{ onmessage: ((event: MessageEvent) => void) | null, postMessage: (frame: any) => void }} scope */
export function serve(scope) {
  const answer = answering((frame) => scope.postMessage(frame));
  scope.onmessage = (event) => answer(event.data);
}
