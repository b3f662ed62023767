/**
 * The strongly connected components of a graph, targets before the nodes that point to them (Tarjan 1972), without recursion: a chain of
 * ten thousand relations must not exhaust the stack. Nodes keep their given order where the graph leaves a choice.
 */
export function orderByTargets(nodes: readonly string[], targetsOf: (node: string) => Iterable<string>): string[][] {
  const state = new Map<string, { index: number; low: number; isOnStack: boolean }>()
  const stack: string[] = []
  const components: string[][] = []
  for (const root of nodes) {
    if (state.has(root)) continue
    const work: { node: string; targets: Iterator<string> }[] = []
    const enter = (node: string) => {
      state.set(node, { index: state.size, low: state.size, isOnStack: true })
      stack.push(node)
      work.push({ node, targets: targetsOf(node)[Symbol.iterator]() })
    }
    enter(root)
    for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
      const own = stateOf(state, frame.node)
      const next = frame.targets.next()
      if (next.done !== true) {
        const known = state.get(next.value)
        if (known === undefined) enter(next.value)
        else if (known.isOnStack) own.low = Math.min(own.low, known.index)
        continue
      }
      work.pop()
      const parent = work.at(-1)
      if (parent !== undefined) {
        const above = stateOf(state, parent.node)
        above.low = Math.min(above.low, own.low)
      }
      if (own.low === own.index) components.push(popComponent(stack, state, frame.node))
    }
  }
  return components
}

function stateOf<Value>(state: ReadonlyMap<string, Value>, node: string): Value {
  const found = state.get(node)
  if (found === undefined) throw new Error(`${node} was not visited`)
  return found
}

function popComponent(stack: string[], state: Map<string, { isOnStack: boolean }>, root: string): string[] {
  const component: string[] = []
  for (;;) {
    const node = stack.pop()
    if (node === undefined) break
    stateOf(state, node).isOnStack = false
    component.push(node)
    if (node === root) break
  }
  return component.reverse()
}
