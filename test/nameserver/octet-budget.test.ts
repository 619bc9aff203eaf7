import { describe, expect, it } from 'vitest';
import { createOctetBudget } from '../../src/nameserver/octet-budget.ts';

function openScene(octetsMax: number) {
  const budget = createOctetBudget(octetsMax);
  const lost: string[] = [];
  const holder = (name: string) => ({ giveUp: () => void lost.push(name) });
  return { budget, lost, holder };
}

describe('the budget of encoded messages', () => {
  it('takes room from what was not used for longest, and only as much as is needed', () => {
    const { budget, lost, holder } = openScene(100);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(holder);
    for (const each of [a, b, c]) expect(budget.grow(each, 30)).toBe(true);
    budget.use(a, 30);
    expect(budget.grow(d, 40)).toBe(true);
    expect(lost).toEqual(['b']);
    expect(budget.held()).toBe(100);
  });

  it('lets one grow at the cost of others, not of itself', () => {
    const { budget, lost, holder } = openScene(100);
    const [a, b] = ['a', 'b'].map(holder);
    budget.grow(a, 60);
    budget.grow(b, 40);
    expect(budget.grow(a, 100)).toBe(true);
    expect(lost).toEqual(['b']);
    expect(budget.held()).toBe(100);
  });

  it('takes nothing from anyone for what does not fit at all', () => {
    const { budget, lost, holder } = openScene(100);
    const [a, b] = ['a', 'b'].map(holder);
    budget.grow(a, 60);
    expect(budget.grow(b, 101)).toBe(false);
    expect(lost).toEqual([]);
    expect(budget.held()).toBe(60);
  });

  it('has the room again of who leaves, without being told twice', () => {
    const { budget, lost, holder } = openScene(100);
    const a = holder('a');
    budget.grow(a, 60);
    budget.leave(a);
    budget.leave(a);
    expect(budget.held()).toBe(0);
    expect(lost).toEqual([]);
  });
});
