"""Directed graphs with labelled edges: what is strongly connected, and a short cycle in it to show."""
import collections


class Graph:
    def __init__(self):
        self.edges = collections.defaultdict(dict)  # from -> to -> label

    def add(self, source, target, label):
        if source != target:
            self.edges[source].setdefault(target, label)

    def only(self, labels):
        """The same without the edges of other labels."""
        part = Graph()
        for source, targets in self.edges.items():
            for target, label in targets.items():
                if label in labels:
                    part.add(source, target, label)
        return part

    def components(self) -> list:
        """Strongly connected components of more than one node (Tarjan, without recursion)."""
        index, low, on_stack, stack, found = {}, {}, set(), [], []
        for root in list(self.edges):
            if root in index:
                continue
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            work = [(root, iter(self.edges[root]))]
            while work:
                node, targets = work[-1]
                for target in targets:
                    if target not in index:
                        index[target] = low[target] = len(index)
                        stack.append(target)
                        on_stack.add(target)
                        work.append((target, iter(self.edges.get(target, ()))))
                        break
                    if target in on_stack:
                        low[node] = min(low[node], index[target])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        component = set()
                        while node not in component:
                            component.add(stack.pop())
                        on_stack -= component
                        if len(component) > 1:
                            found.append(component)
        return found

    def path(self, source, target, within=None, labels=None) -> list:
        """A shortest path as [(node, label of the edge to the next), …, (target, None)]; None when there is none."""
        came_from, queue = {source: None}, collections.deque([source])
        while queue:
            node = queue.popleft()
            for following, label in self.edges.get(node, {}).items():
                if following in came_from or (within is not None and following not in within) or (labels and label not in labels):
                    continue
                came_from[following] = (node, label)
                if following == target:
                    path = [(target, None)]
                    while came_from[path[0][0]]:
                        path.insert(0, came_from[path[0][0]])
                    return path
                queue.append(following)
        return None

    def cycle_in(self, component, tries=40) -> list:
        """The shortest of some cycles in a component, as path() gives it."""
        best = None
        for node in sorted(component, key=repr)[:tries]:
            for following, label in self.edges[node].items():
                if following in component:
                    back = self.path(following, node, component)
                    if back and (best is None or len(back) + 1 < len(best)):
                        best = [(node, label)] + back
        return best
