"""Where one comes to, from step to step."""


def find_reachable(starts, links):
    """The nodes that one comes to, the starts among them.

    >>> sorted(find_reachable([1], {1: {2}, 2: {3}, 4: {1}}))
    [1, 2, 3]

    :param starts: nodes
    :param dict links: set of the nodes that follow, by node
    """
    found, waiting = set(), list(starts)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(links.get(node, ()))
    return found


def find_looping(links):
    """The nodes that one can come back to.

    >>> sorted(find_looping({1: {2}, 2: {3}, 3: {2}, 4: {4}}))
    [2, 3, 4]

    :param dict links: set of the nodes that follow, by node
    """
    return {node for node, following in links.items() if node in find_reachable(following, links)}
