import {describe, expect, test} from "@odoo/hoot";
import {findBackArrows, findLayers, layoutFlow} from "@sms_flow/picture/layout";

describe.current.tags("headless");

const steps = (count) => Array.from({length: count}, (_, index) => ({id: index + 1}));
const arrows = (...pairs) =>
    pairs.map(([source, target], index) => ({id: `a${index}`, source, target, words: "yes"}));

/** A flow as wild as any, always the same. */
function wildFlow(count, arrowCount) {
    let seed = 7;
    const random = (below) => {
        seed = (seed * 16807) % 2147483647;
        return seed % below;
    };
    const pairs = Array.from({length: arrowCount}, () => [random(count) + 1, random(count) + 1]);
    return [steps(count), arrows(...pairs)];
}

function overlap(a, b) {
    return (
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    );
}

function findOverlaps(rectangles) {
    return rectangles.flatMap((a, index) =>
        rectangles
            .slice(index + 1)
            .filter((b) => overlap(a, b))
            .map((b) => [a.id, b.id])
    );
}

/** The points of a path of curves and lines, close together. */
function walk(path) {
    const points = [];
    let here = null;
    for (const [, kind, rest] of path.matchAll(/([MLC])([^MLC]+)/g)) {
        const ends = rest
            .trim()
            .split(/\s+/)
            .map((pair) => pair.split(",").map(Number));
        if (kind === "M") {
            here = ends[0];
            continue;
        }
        const [a, b, c, d] = kind === "L" ? [here, here, ends[0], ends[0]] : [here, ...ends];
        for (let part = 1; part < 40; part++) {
            const t = part / 40;
            const u = 1 - t;
            points.push(
                [0, 1].map(
                    (axis) =>
                        u ** 3 * a[axis] +
                        3 * u * u * t * b[axis] +
                        3 * u * t * t * c[axis] +
                        t ** 3 * d[axis]
                )
            );
        }
        here = d;
    }
    return points;
}

const isWithin = ([x, y], box) =>
    x > box.x + 1 && x < box.x + box.width - 1 && y > box.y + 1 && y < box.y + box.height - 1;

test("a step stands behind all that lead to it", () => {
    const links = arrows([1, 2], [2, 3], [1, 3], [3, 4]);
    expect([...findLayers(steps(4), links, new Set()).values()]).toEqual([0, 1, 2, 3]);
});

test("what leads back is told apart from what leads on", () => {
    const links = arrows([1, 2], [2, 3], [3, 1], [2, 2], [1, 3]);
    expect([...findBackArrows(steps(3), links)]).toEqual(["a2", "a3"]);
});

for (const direction of ["right", "down"]) {
    test(`30 steps going ${direction}: no box and no words overlap another`, () => {
        const {boxes, arrows: drawn} = layoutFlow(...wildFlow(30, 45), {direction});
        const words = drawn.map((arrow) => ({id: arrow.id, ...arrow.words}));
        expect(boxes).toHaveLength(30);
        expect(findOverlaps([...boxes, ...words])).toEqual([]);
    });

    test(`30 steps going ${direction}: no arrow crosses a box`, () => {
        const {boxes, arrows: drawn} = layoutFlow(...wildFlow(30, 45), {direction});
        const crossed = drawn.filter(({path}) =>
            walk(path).some((point) => boxes.some((box) => isWithin(point, box)))
        );
        expect(crossed.map(({id}) => id)).toEqual([]);
    });

    test(`all that is drawn going ${direction} is within the picture`, () => {
        const {boxes, arrows: drawn, width, height} = layoutFlow(...wildFlow(20, 25), {direction});
        for (const {x, y, width: w, height: h} of [...boxes, ...drawn.map((a) => a.words)]) {
            expect(x >= 0 && y >= 0 && x + w <= width && y + h <= height).toBe(true);
        }
        const points = drawn.flatMap(({path}) => walk(path));
        const outside = points.filter(([x, y]) => x < 0 || y < 0 || x > width || y > height);
        expect(outside).toEqual([]);
    });
}

test("it goes to the right, on a telephone down", () => {
    const flow = [steps(3), arrows([1, 2], [2, 3])];
    const right = layoutFlow(...flow).boxes;
    const down = layoutFlow(...flow, {direction: "down"}).boxes;
    expect(right.map(({y}) => y)).toEqual(Array(3).fill(right[0].y));
    expect(right[0].x < right[1].x && right[1].x < right[2].x).toBe(true);
    expect(down.map(({x}) => x)).toEqual(Array(3).fill(down[0].x));
    expect(down[0].y < down[1].y && down[1].y < down[2].y).toBe(true);
});

test("from right to left it is the mirror image", () => {
    const flow = wildFlow(8, 10);
    const {boxes, width} = layoutFlow(...flow);
    const mirrored = layoutFlow(...flow, {isRightToLeft: true}).boxes;
    expect(mirrored.map(({x}) => Math.round(x))).toEqual(
        boxes.map((box) => Math.round(width - box.x - box.width))
    );
    expect(mirrored.map(({y}) => y)).toEqual(boxes.map(({y}) => y));
});

test("what leads back enters the box from its front, as all others do", () => {
    const {arrows: drawn, boxes} = layoutFlow(steps(2), arrows([1, 2], [2, 1]));
    const [first] = boxes;
    expect(drawn.map(({isBack}) => isBack)).toEqual([false, true]);
    expect(walk(drawn[1].path).at(-1)[0] < first.x).toBe(true);
});

test("steps without arrows stand in rows, in their order", () => {
    const {boxes} = layoutFlow(steps(6), []);
    const rows = [...new Set(boxes.map(({y}) => y))];
    expect(rows).toHaveLength(2);
    expect(boxes.filter(({y}) => y === rows[0]).map(({id}) => id)).toEqual([1, 2, 3, 4]);
});

test("arrows to a step that is gone are left out", () => {
    expect(layoutFlow(steps(1), arrows([1, 9])).arrows).toEqual([]);
    expect(layoutFlow([], []).boxes).toEqual([]);
});
