/** Simulated time. It stands still until it is told to go: `advance` leaps, `run` follows the wall clock one to one. */
export class SimulatedClock {
  #nowMs: number;
  #runningSinceMs: number | null = null;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Epoch milliseconds. */
  now(): number {
    const ran = this.#runningSinceMs === null ? 0 : performance.now() - this.#runningSinceMs;
    return this.#nowMs + Math.floor(ran);
  }

  get isRunning(): boolean {
    return this.#runningSinceMs !== null;
  }

  advance(ms: number): void {
    if (ms < 0) throw new RangeError("simulated time does not go back");
    this.#nowMs += ms;
  }

  /** From now on time runs one to one. */
  run(): void {
    this.#runningSinceMs ??= performance.now();
  }

  /** Time stands still again, where it has come to. */
  stop(): void {
    this.#nowMs = this.now();
    this.#runningSinceMs = null;
  }
}
