const PRINTED = "[secret]";

/** A secret that never prints, but as "[secret]". The value leaves it through `reveal()` alone. */
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
