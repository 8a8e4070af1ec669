// Runs before the page's own script: keeps what the page says to the server and hears from it, and can hold an acknowledgement back, as a
// slow machine would. And words for the checks to ask with.
"use strict";
window.seen = { pictures: [], acks: [], watches: [], delay: 0, draws: 0 };
const { drawImage } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.drawImage = function (...all) { seen.draws += 1; drawImage.apply(this, all); };
window.WebSocket = class extends WebSocket {
    constructor(...all) {
        super(...all);
        this.addEventListener("message", ({ data }) => {
            if (typeof data === "string") return;
            const length = new DataView(data).getUint32(0);
            seen.pictures.push({ ...JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))), draws: seen.draws });
        });
    }
    send(data) {
        if (typeof data === "string") {
            seen.watches.push(JSON.parse(data));
            return super.send(data);
        }
        const bytes = new Uint8Array(data);
        const sequence = Number(new DataView(bytes.buffer).getBigUint64(0));
        seen.acks.push({ stream: new TextDecoder().decode(bytes.subarray(8)), sequence, draws: seen.draws });
        if (seen.delay > 0) setTimeout(() => super.send(data), seen.delay);
        else super.send(data);
    }
};
window.pixels = (name, top = 0) => {
    const canvas = tile(name).querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, top, canvas.width, canvas.height - top);
    let text = "";
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return [canvas.width, btoa(text)];
};
window.tile = (name) => document.querySelector(`[data-stream="${CSS.escape(name)}"]`);
window.figure = (name, label) => [...tile(name).querySelectorAll("dt")].find((term) => term.textContent === label).nextSibling.textContent;
window.said = (name) => [...tile(name).querySelectorAll(".veil, .note")].filter((words) => words.checkVisibility()).map((words) => words.textContent).join(" ");
window.state = (name) => tile(name)?.querySelector(".state").textContent;
window.news = () => document.getElementById("news").textContent;
window.boxes = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility()).map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height];
});
