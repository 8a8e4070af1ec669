"use strict";
// The figures of a stream, and what each of them means.

const dropsHere = (stream) => Object.entries(stream.dropped ?? {}).filter(([, number]) => number > 0);

// The first four are those of a small tile. Name, class, value, explanation.
const figures = [
    ["Rate", "", (s) => `${decimals(s.fps, 1)} fps`, "Pictures a second that arrive at the receiver."],
    ["Delay p50", "p50", (s) => milliseconds(s.latency_ms?.p50),
        "Half of the pictures arrive sooner than this after they were captured. A dash: the sender does not report capture times."],
    ["Delay p99", "p99", (s) => milliseconds(s.latency_ms?.p99), "99 of 100 pictures arrive sooner than this after they were captured."],
    ["Data", "", (s) => bytes(s.bytes_per_second), "Bytes a second that arrive at the receiver."],
    ["Size", "", (s) => s.width > 0 ? `${s.width}×${s.height}` : "–", "Width and height of the newest picture, in pixels."],
    ["Quality", "", (s) => count(s.quality), "JPEG quality of the newest picture: 1 is the smallest, 100 the best."],
    ["Dropped", "", (s) => count((s.skipped_by_sender ?? 0) + sum(dropsHere(s).map(([, number]) => number))),
        "Pictures that did not get here: the sender dropped them for newer ones, or they were unusable."],
    ["Window", "", (s) => count(s.window), "Pictures that the sender has under way. A dash: not known here."],
    ["Clock error", "further", (s) => known(s.clock_error_ms, (error) => `±${error.toFixed(2)} ms`),
        "How wrong the delay may be where it crosses machines, whose clocks differ."],
    ["Frames", "further", (s) => count(s.frames), "Pictures that arrived since the stream began."],
    ["Viewers", "further", (s) => count(s.viewers), "Pages and programs that are sent this stream now."],
    ["Drawn here", "further", (s, tile) => `${decimals(tile.rate, 1)} fps`, "Pictures a second that this page draws."],
    ["Age when drawn", "further", (s, tile) => milliseconds(tile.age),
        "Time from capture until this page drew the last picture, without its way from the receiver to the browser."],
    ["Left out here", "further", (s, tile) => count(tile.leftOut), "Pictures that this page was not sent, because it had not finished the one before."],
    ["Dropped, by whom and why", "further wide", (s) => [
        `by the sender ${count(s.skipped_by_sender)}`, ...dropsHere(s).map(([reason, number]) => `${reason} ${count(number)}`)].join(", "),
        "Who dropped pictures, why, and how many."],
    ["From", "further wide", (s) => s.peer || "–", "The sender's network address."],
];
