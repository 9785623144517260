import type { Life } from "../../test/simulation/life.ts";

/** Whether a life still shows what it was kept for. */
export type Shows = (life: Life) => Promise<boolean>;

const without = <Item>(list: readonly Item[], at: number): Item[] => list.toSpliced(at, 1);

/** The same of the same user, where another user is gone. */
const moved = <Planned extends { readonly user: number }>(planned: Planned, gone: number): Planned => ({
  ...planned,
  user: planned.user > gone ? planned.user - 1 : planned.user,
});

/** The lives that lack one thing of this one: a user, a deed, a trouble, a consumer; or are swept less often. */
function smaller(life: Life): Life[] {
  const lives = life.users.map((_, gone): Life => {
    const deeds = life.deeds.filter(({ user }) => user !== gone).map((deed) => moved(deed, gone));
    const leaks = (life.leaks ?? []).filter(({ user }) => user !== gone).map((leak) => moved(leak, gone));
    const words = (life.words ?? []).filter(({ user }) => user !== gone).map((word) => moved(word, gone));
    return { ...life, users: without(life.users, gone), deeds, leaks, words, sharesSlot: false };
  });
  if (life.users.length < 2) lives.pop();
  lives.push(...life.troubles.map((_, at) => ({ ...life, troubles: without(life.troubles, at) })));
  lives.push(...(life.words ?? []).map((_, at) => ({ ...life, words: without(life.words ?? [], at) })));
  lives.push(...(life.leaks ?? []).map((_, at) => ({ ...life, leaks: without(life.leaks ?? [], at) })));
  lives.push(...life.deeds.map((_, at) => ({ ...life, deeds: without(life.deeds, at) })));
  for (const [index, user] of life.users.entries()) {
    const fewer = user.consumers.map((_, at) => ({ ...user, consumers: without(user.consumers, at) }));
    lives.push(...fewer.map((changed) => ({ ...life, users: life.users.with(index, changed) })));
  }
  if (life.isHourly) lives.push({ ...life, isHourly: false });
  return lives;
}

/** A life that shows the same with as little as possible in it. */
export async function shrink(life: Life, shows: Shows): Promise<Life> {
  for (const candidate of smaller(life)) {
    if (await shows(candidate)) return shrink(candidate, shows);
  }
  return life;
}
