const PRINTED = "[secret]";

/**
 * A secret that never prints: JSON.stringify, util.inspect, template strings and string concatenation all give
 * "[secret]". The value leaves it through `reveal()` alone, which only custody, the prover and destinations call.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself. Never put it in a message, a log line, an error or a result. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return PRINTED;
  }

  toJSON(): string {
    return PRINTED;
  }

  [Symbol.toPrimitive](): string {
    return PRINTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return PRINTED;
  }
}
