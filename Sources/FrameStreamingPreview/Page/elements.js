"use strict";
// What the other scripts build the page with.

const byId = (id) => document.getElementById(id);
// Text from outside enters the page as text or as a property, never as markup.
const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
};
const drawing = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
};
const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

/** Tells a screen reader something once. */
const announce = (text) => {
    const words = make("span", { textContent: `${text}. ` });
    byId("news").append(words);
    setTimeout(() => words.remove(), 10000);
};
let toastEnds = 0;
/** Shows the outcome of an action for a few seconds, and tells it to a screen reader. */
const say = (text) => {
    write(byId("toast"), text);
    byId("toast").hidden = false;
    clearTimeout(toastEnds);
    toastEnds = setTimeout(() => { byId("toast").hidden = true; }, 5000);
    announce(text);
};

const shapes = {
    save: "M12 4v11m-5-4.5 5 5 5-5M5 20h14",
    copy: "M9 9h11v11H9zM5 15H4V4h11v1",
    full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    close: "M6 6l12 12M18 6 6 18",
    more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
};
const icon = (shape) => {
    const image = drawing("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" });
    image.append(drawing("path", { d: shapes[shape] }));
    return image;
};
/** A button or link with a symbol; its words show where there is room. */
const tool = (tag, shape, label, key, properties) => {
    const words = key ? `${label} (${key})` : label;
    const element = make(tag, { className: `tool ${shape}`, title: words, ...properties }, icon(shape), make("span", { textContent: label }));
    if (tag === "button") element.type = "button";
    if (key) element.setAttribute("aria-keyshortcuts", key);
    return element;
};

// Words and numbers. An unknown value is a dash.
const known = (value, write) => value === null || value === undefined || Number.isNaN(value) ? "–" : write(value);
const decimals = (value, count) => known(value, (value) => value.toFixed(count));
const milliseconds = (value) => known(value, (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`);
const count = (value) => known(value, (value) => value.toLocaleString("en"));
const bytes = (value) => known(value, (value) => value < 1e6 ? `${(value / 1e3).toFixed(0)} kB/s` : `${(value / 1e6).toFixed(1)} MB/s`);
const duration = (seconds) => seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
const ago = (seconds) => seconds < 1.5 ? "just now" : `${duration(seconds)} ago`;
const seconds = (since) => (performance.now() - since) / 1000;
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
