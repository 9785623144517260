/** A violation without the names and numbers of its seed. */
export const wordsOf = (broken: string): string =>
  broken.replaceAll(/\b(AKIA|AIDA|user-|worker-)[\w-]+/g, "it").replaceAll(/\d[\d.:TZ-]*/g, "some");
