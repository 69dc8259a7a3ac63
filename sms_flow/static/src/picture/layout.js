/**
 * Where the boxes and arrows of a flow stand. Nothing here touches the page.
 *
 * Steps stand in layers, each behind those that lead to it; between two layers of boxes is one of
 * words, so that the words of an arrow have a place of their own. What leads back runs beside the
 * boxes of each layer it crosses. "Along" is the direction of the flow, "across" the other one.
 */

/** Sizes in pixels. */
export const SIZES = {
    right: {box: [210, 128], words: [112, 24], gap: [26, 18], lane: 12, margin: [24, 8]},
    down: {box: [136, 164], words: [24, 104], gap: [22, 12], lane: 12, margin: [20, 8]},
};
/** Times that the order in the layers is improved, and the places afterwards. */
const ORDER_SWEEPS = 8;
const PLACE_SWEEPS = 6;
/** Between two arrows that leave or reach the same box. */
const PORT_GAP = 15;
/** Columns for steps that nothing leads to or from, at least. */
const LOOSE_COLUMNS = {right: 4, down: 2};

/**
 * @param {{id: number}[]} steps in their order
 * @param {{id: string, source: number, target: number, words: string}[]} arrows
 * @param {{direction?: "right"|"down", isRightToLeft?: boolean}} [options]
 * @returns {{boxes: object[], arrows: object[], width: number, height: number}} boxes with
 *  ``id``, ``x``, ``y``, ``width`` and ``height``; arrows with ``id``, ``isBack``, the ``path`` and
 *  the ``head`` as SVG, and the box of their words
 */
export function layoutFlow(steps, arrows, {direction = "right", isRightToLeft = false} = {}) {
    const sizes = SIZES[direction];
    const known = new Set(steps.map(({id}) => id));
    const links = arrows.filter(({source, target}) => known.has(source) && known.has(target));
    const tied = new Set(links.flatMap(({source, target}) => [source, target]));
    const back = findBackArrows(steps, links);
    const layers = findLayers(steps, links, back);
    const graph = buildRanks(
        steps.filter(({id}) => tied.has(id)),
        links,
        back,
        layers,
        sizes
    );
    orderRanks(graph);
    placeAcross(graph, sizes.gap[1]);
    const end = placeAlong(graph, sizes);
    const loose = steps.filter(({id}) => !tied.has(id));
    placeLoose(graph, loose, end, direction, sizes);
    return draw(graph, links, back, direction, isRightToLeft, sizes);
}

/** Arrows that lead back to a step one has come through; all others lead on. */
export function findBackArrows(steps, arrows) {
    const leaving = groupBy(arrows, ({source}) => source);
    const back = new Set();
    const state = new Map();
    const visit = (id) => {
        state.set(id, "open");
        for (const arrow of leaving.get(id) || []) {
            if (state.get(arrow.target) === "open") {
                back.add(arrow.id);
            } else if (!state.has(arrow.target)) {
                visit(arrow.target);
            }
        }
        state.set(id, "done");
    };
    for (const {id} of steps) {
        if (!state.has(id)) {
            visit(id);
        }
    }
    return back;
}

/** The layer of each step: one more than the last of those that lead to it. */
export function findLayers(steps, arrows, back) {
    const coming = groupBy(
        arrows.filter(({id}) => !back.has(id)),
        ({target}) => target
    );
    const layers = new Map();
    const layerOf = (id) => {
        if (!layers.has(id)) {
            const before = (coming.get(id) || []).map(({source}) => layerOf(source));
            layers.set(id, before.length ? Math.max(...before) + 1 : 0);
        }
        return layers.get(id);
    };
    steps.forEach(({id}) => layerOf(id));
    return layers;
}

/**
 * Boxes stand in even ranks; arrows pass each rank between their ends through a node of their own,
 * of which one is as large as the words.
 */
function buildRanks(steps, arrows, back, layers, {box, words, lane}) {
    const graph = {ranks: [], boxes: new Map(), chains: new Map()};
    const add = (rank, values) => {
        const node = {rank, before: [], after: [], ...values};
        (graph.ranks[rank] ||= []).push(node);
        return node;
    };
    for (const {id} of steps) {
        graph.boxes.set(id, add(2 * layers.get(id), {id, size: box}));
    }
    for (const arrow of arrows) {
        const isBack = back.has(arrow.id);
        const source = graph.boxes.get(arrow.source);
        const target = graph.boxes.get(arrow.target);
        const ranks = isBack
            ? range(source.rank, target.rank, -1)
            : range(source.rank + 1, target.rank - 1, 1);
        const chain = ranks.map((rank, place) =>
            add(rank, {arrow: arrow.id, size: place ? [0, lane] : words})
        );
        graph.chains.set(arrow.id, chain);
        const line = isBack ? [...chain].reverse() : [source, ...chain, target];
        line.slice(1).forEach((node, place) => link(line[place], node));
        if (isBack) {
            chain[0].beside = source;
            chain.at(-1).beside ||= target;
        }
    }
    for (let rank = 0; rank < graph.ranks.length; rank++) {
        graph.ranks[rank] ||= [];
    }
    return graph;
}

function link(before, after) {
    before.after.push(after);
    after.before.push(before);
}

/** Few crossings: each node near the middle of those it is tied to, rank after rank. */
function orderRanks({ranks}) {
    const renumber = (nodes) => nodes.forEach((node, place) => (node.place = place));
    ranks.forEach(renumber);
    for (let sweep = 0; sweep < ORDER_SWEEPS; sweep++) {
        const forward = sweep % 2 === 0;
        for (const nodes of forward ? ranks : [...ranks].reverse()) {
            for (const node of nodes) {
                const tied = forward ? node.before : node.after;
                node.wish = tied.length ? mean(tied.map(({place}) => place)) : node.place;
            }
            for (const node of nodes) {
                // What leads back runs below the box it belongs to.
                node.wish = node.beside ? node.beside.wish + 0.5 : node.wish;
            }
            nodes.sort((a, b) => a.wish - b.wish || a.place - b.place);
            renumber(nodes);
        }
    }
}

/** In their order, without overlap, and as straight as that leaves room for. */
function placeAcross({ranks}, gap) {
    for (const nodes of ranks) {
        spread(
            nodes,
            nodes.map(() => 0),
            gap
        );
    }
    for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
        const forward = sweep % 2 === 0;
        for (const nodes of forward ? ranks : [...ranks].reverse()) {
            const wishes = nodes.map((node) => {
                const tied = forward ? node.before : node.after;
                return tied.length ? mean(tied.map(({across}) => across)) : node.across;
            });
            spread(nodes, wishes, gap);
        }
    }
}

/**
 * Put nodes as near to their wishes as their order and sizes allow: those that would overlap form
 * a block, which stands at the mean of what its nodes wish.
 */
function spread(nodes, wishes, gap) {
    const blocks = [];
    let offset = 0;
    nodes.forEach((node, place) => {
        const before = nodes[place - 1];
        offset += before ? (before.size[1] + node.size[1]) / 2 + gap : 0;
        node.offset = offset;
        let block = {wishes: [wishes[place] - offset], nodes: [node]};
        while (blocks.length && mean(blocks.at(-1).wishes) > mean(block.wishes)) {
            const last = blocks.pop();
            block = {
                wishes: [...last.wishes, ...block.wishes],
                nodes: [...last.nodes, ...block.nodes],
            };
        }
        blocks.push(block);
    });
    for (const block of blocks) {
        const start = mean(block.wishes);
        block.nodes.forEach((node) => (node.across = start + node.offset));
    }
}

/** @returns {{along: number, across: number}} where the ranks end */
function placeAlong({ranks}, {gap, margin}) {
    const nodes = ranks.flat();
    const first = Math.min(...nodes.map(({across, size}) => across - size[1] / 2), Infinity);
    const shift = nodes.length ? margin[1] - first : 0;
    let along = margin[0];
    for (const rank of ranks) {
        const length = Math.max(...rank.map(({size}) => size[0]), 0);
        for (const node of rank) {
            Object.assign(node, {start: along, end: along + length, across: node.across + shift});
        }
        along += length + gap[0];
    }
    return {
        along: nodes.length ? along - gap[0] : 0,
        across: Math.max(...nodes.map(({across, size}) => across + size[1] / 2), 0),
    };
}

/** Steps that nothing leads to or from stand in rows below. */
function placeLoose(graph, steps, end, direction, {box, gap, margin}) {
    const [length, breadth] = box;
    const isRight = direction === "right";
    // Rows read as text does, whatever the direction of the flow.
    const [width, room] = isRight ? [length, end.along] : [breadth, end.across];
    const side = isRight ? margin[0] : margin[1];
    const step = width + gap[1];
    const columns = Math.max(LOOSE_COLUMNS[direction], Math.floor((room - side) / step));
    const begin = (isRight ? end.across : end.along) + (end.along ? 2 * gap[1] : margin[1]);
    steps.forEach(({id}, index) => {
        const column = side + (index % columns) * step;
        const row = begin + Math.floor(index / columns) * ((isRight ? breadth : length) + gap[1]);
        const [start, top] = isRight ? [column, row] : [row, column];
        const across = top + breadth / 2;
        graph.boxes.set(id, {id, size: box, start, end: start + length, across});
    });
}

function draw(graph, arrows, back, direction, isRightToLeft, {margin, gap, box}) {
    const boxes = [...graph.boxes.values()];
    const nodes = [...graph.ranks.flat(), ...boxes];
    const total = {
        along: Math.max(...nodes.map((node) => node.end), 0) + margin[0],
        across: Math.max(...nodes.map(({across, size}) => across + size[1] / 2), 0) + margin[1],
    };
    const [width, height] =
        direction === "right" ? [total.along, total.across] : [total.across, total.along];
    const flip = (x) => (isRightToLeft ? width - x : x);
    const at = (along, across) =>
        direction === "right" ? [flip(along), across] : [flip(across), along];
    const place = ({start, across, size}) => {
        const [x1, y1] = at(start, across - size[1] / 2);
        const [x2, y2] = at(start + size[0], across + size[1] / 2);
        return {
            x: Math.min(x1, x2),
            y: Math.min(y1, y2),
            width: Math.abs(x2 - x1),
            height: Math.abs(y2 - y1),
        };
    };
    const ports = findPorts(graph, arrows, back, box);
    return {
        width,
        height,
        boxes: boxes.map((node) => ({id: node.id, ...place(node)})),
        arrows: arrows.map((arrow) => {
            const chain = graph.chains.get(arrow.id);
            const from = {...graph.boxes.get(arrow.source), across: ports.get(arrow.id).from};
            const to = {...graph.boxes.get(arrow.target), across: ports.get(arrow.id).to};
            const isBack = back.has(arrow.id);
            const words = chain[0];
            const start = (words.start + words.end - words.size[0]) / 2;
            return {
                id: arrow.id,
                isBack,
                words: place({...words, start}),
                path: isBack ? drawBack(from, chain, to, gap[0], at) : drawOn(from, chain, to, at),
                head: drawHead(to, at),
            };
        }),
    };
}

/**
 * Where arrows leave and reach their boxes: side by side, in the order of where they go.
 *
 * @returns {Map<string, {from: number, to: number}>} across, by arrow
 */
function findPorts(graph, arrows, back, box) {
    const ports = new Map(arrows.map(({id}) => [id, {}]));
    const share = (ends, side, neighbour) => {
        for (const [id, group] of ends) {
            const room = Math.min(PORT_GAP, (box[1] - 40) / group.length);
            group
                .map((arrow) => ({arrow, wish: neighbour(arrow).across}))
                .sort((a, b) => a.wish - b.wish)
                .forEach(({arrow}, place) => {
                    const offset = (place - (group.length - 1) / 2) * room;
                    ports.get(arrow.id)[side] = graph.boxes.get(id).across + offset;
                });
        }
    };
    const chain = ({id}) => graph.chains.get(id);
    share(
        groupBy(arrows, ({source}) => source),
        "from",
        (arrow) => chain(arrow)[0] || graph.boxes.get(arrow.target)
    );
    share(
        groupBy(arrows, ({target}) => target),
        "to",
        (arrow) => chain(arrow).at(-1) || graph.boxes.get(arrow.source)
    );
    return ports;
}

/** From the end of one box to the start of another, curved in the gaps and straight elsewhere. */
function drawOn(from, chain, to, at) {
    const path = [`M${at(from.end, from.across)}`];
    let here = [from.end, from.across];
    const curveTo = (along, across) => {
        const middle = (here[0] + along) / 2;
        path.push(`C${at(middle, here[1])} ${at(middle, across)} ${at(along, across)}`);
        here = [along, across];
    };
    for (const node of [...chain, {start: to.start, across: to.across}]) {
        curveTo(node.start, node.across);
        if (node.end) {
            path.push(`L${at(node.end, node.across)}`);
            here = [node.end, node.across];
        }
    }
    return path.join(" ");
}

/** Out at the end of a box, round it, back beside all that is between, and round the other. */
function drawBack(from, chain, to, gap, at) {
    const first = chain[0];
    const last = chain.at(-1);
    const path = [`M${at(from.end, from.across)}`];
    const turn = (along, across, next, bow) =>
        path.push(`C${at(along + bow, across)} ${at(along + bow, next)} ${at(along, next)}`);
    turn(first.end, from.across, first.across, gap);
    let here = [first.end, first.across];
    for (const node of chain) {
        const middle = (here[0] + node.end) / 2;
        if (node !== first) {
            path.push(
                `C${at(middle, here[1])} ${at(middle, node.across)} ${at(node.end, node.across)}`
            );
        }
        path.push(`L${at(node.start, node.across)}`);
        here = [node.start, node.across];
    }
    turn(to.start, last.across, to.across, -gap);
    return path.join(" ");
}

/** The head of an arrow at the start of a box. */
function drawHead({start, across}, at) {
    const corners = [at(start, across), at(start - 8, across - 4), at(start - 8, across + 4)];
    return `M${corners[0]} L${corners[1]} L${corners[2]} Z`;
}

function groupBy(items, key) {
    const groups = new Map();
    for (const item of items) {
        const group = groups.get(key(item)) || [];
        group.push(item);
        groups.set(key(item), group);
    }
    return groups;
}

function range(first, last, step) {
    const numbers = [];
    for (let number = first; step * (last - number) >= 0; number += step) {
        numbers.push(number);
    }
    return numbers;
}

function mean(numbers) {
    return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
