"use strict";
// The plot of a stream's delay over the last minute.

/**
 * The upper end of the scale: a round number above nearly all values. A few that are far above, such as the first picture's or those of
 * one hiccup, would make everything else a flat line; they leave the plot at its top instead, and a mark has the largest value.
 */
function plotLimit(history) {
    const worst = history.map(([, p50, p99]) => p99 ?? p50).filter((value) => value !== null).sort((a, b) => a - b);
    if (worst.length === 0) return 1;
    const most = worst.at(-1), usual = worst[Math.floor(0.9 * (worst.length - 1))];
    const covered = most > 2 * usual ? 1.25 * usual : most;
    const unit = 10 ** Math.floor(Math.log10(Math.max(1, covered)));
    return [1, 2, 5, 10].map((factor) => factor * unit).find((limit) => limit >= covered);
}

/** Draws [seconds ago, p50, p99] in milliseconds into an SVG element. */
function plot(svg, history, now) {
    const { clientWidth: width, clientHeight: height } = svg;
    if (width === 0) return;
    const [left, right, top, bottom] = [46, 8, 10, height - 18];
    const limit = plotLimit(history);
    const values = history.flatMap(([, p50, p99]) => [p50, p99]).filter((value) => value !== null);
    const most = Math.max(0, ...values);
    const x = (ago) => left + (width - left - right) * (1 - Math.min(60, ago) / 60);
    const y = (value) => bottom - (bottom - top) * Math.min(1, value / limit);
    const line = (index) => {
        let path = "", pen = "M";
        for (const sample of history) {
            if (sample[index] === null) { pen = "M"; continue; }
            path += `${pen}${x(sample[0]).toFixed(1)} ${y(sample[index]).toFixed(1)}`;
            pen = "L";
        }
        return path;
    };
    const label = (x, y, anchor, text, more = {}) => drawing("text", { x, y, "text-anchor": anchor, ...more }, text);
    const parts = [0, limit / 2, limit].flatMap((value) => [
        drawing("line", { x1: left, x2: width - right, y1: y(value), y2: y(value) }),
        label(left - 6, y(value) + 4, "end", value === 0 ? "0" : `${+value.toPrecision(2)} ms`)]);
    parts.push(label(x(60), height - 3, "start", "60 s ago"), label(x(30), height - 3, "middle", "30 s"), label(x(0), height - 3, "end", "now"));
    if (values.length === 0) parts.push(label((left + width) / 2, (top + bottom) / 2 - 6, "middle", "delay not known"));
    parts.push(drawing("path", { d: line(2), class: "p99" }), drawing("path", { d: line(1) }));
    if (most > limit) {
        const [ago] = history.find(([, p50, p99]) => p50 === most || p99 === most);
        const at = x(ago), toLeft = at > (left + width) / 2;
        parts.push(drawing("path", { class: "beyond", d: `M${at - 4} ${top + 1}l4 -6l4 6z` }),
            label(at + (toLeft ? -8 : 8), top + 2, toLeft ? "end" : "start", milliseconds(most), { class: "beyond" }));
    }
    svg.replaceChildren(...parts);
    svg.setAttribute("aria-label", values.length === 0 ? "Delay over the last minute: not known"
        : `Delay over the last minute, at most ${milliseconds(most)}; now p50 ${milliseconds(now?.p50)}, p99 ${milliseconds(now?.p99)}`);
}
