"use strict";
// The tile of a stream.

// What a tile's colour says: how fresh its picture is, and not only that its sender is connected.
const grades = ["live", "late", "silent", "waiting", "lost", "ended"];

/** Its newest picture is drawn with the browser's next frame, and then acknowledged to the server. */
class Tile {
    static count = 0;

    constructor(name) {
        this.name = name;
        this.drawn = 0;
        this.leftOut = 0;
        this.undecodable = 0;
        this.age = this.rate = null;
        this.pace = 0; // seconds between its pictures, of late
        this.canvas = make("canvas", { width: 16, height: 9 });
        this.canvas.setAttribute("role", "img");
        this.canvas.setAttribute("aria-label", `Live picture of ${name}`);
        this.context = this.canvas.getContext("2d", { alpha: false });
        this.veil = make("p", { className: "veil" });
        this.note = make("p", { className: "note", hidden: true });
        this.state = make("p", { className: "state", id: `state-${Tile.count += 1}` });
        this.link = make("a", { href: address(name), textContent: name, title: name, dir: "auto" });
        this.link.setAttribute("aria-describedby", this.state.id);
        this.values = figures.map(([label, kind, , why]) => {
            const value = make("dd");
            const row = make("div", { className: kind, title: why },
                make("dt", { textContent: label }), value, make("dd", { className: "why", textContent: why }));
            return { value, row };
        });
        this.plot = drawing("svg", { role: "img", class: "plot" });
        this.path = `/streams/${encodeURIComponent(name)}`;
        this.picture = make("figure", { className: "picture", ondblclick: () => toggleFull(name) }, this.canvas, this.veil, this.note);
        this.explain = make("button", { type: "button", className: "explain", textContent: "Explain the figures", onclick: explainFigures });
        const about = make("div", { className: "about" },
            make("div", { className: "title" }, make("h2", {}, this.link), this.state),
            make("dl", {}, ...this.values.map(({ row }) => row)), this.plot, this.explain);
        this.snapshot = tool("a", "save", "Save", "S", { href: `${this.path}.jpg`, download: "", onclick: () => savePicture(this) });
        this.more = tool("button", "more", "Actions", "", { onclick: () => this.showTools(!this.tools.matches(".open")) });
        this.tools = make("div", { className: "tools" }, this.snapshot,
            tool("button", "copy", "Copy address", "", { onclick: () => copy(new URL(`${this.path}.mjpg`, location.href).href) }),
            tool("button", "full", "Full screen", "F", { onclick: () => toggleFull(name) }),
            tool("button", "close", "Leave full screen", "F", { onclick: leaveFull }),
            this.more);
        this.tools.setAttribute("role", "group");
        this.tools.setAttribute("aria-label", name);
        this.showTools(false);
        this.element = make("li", { className: "tile" }, this.picture, about, this.tools);
        this.element.dataset.stream = name;
        inView.observe(this.picture);
    }

    /** Opens the actions of a tile that has no room for them all the time. */
    showTools(open) {
        this.tools.classList.toggle("open", open);
        this.more.ariaExpanded = String(open);
    }

    /** Shows the figures that the server sent. */
    update(stream) {
        const before = this.stream?.state;
        if (before !== stream.state) {
            const gone = before && this.since ? `after ${duration(seconds(this.since))}` : "";
            this.since = performance.now();
            this.wasGone = before && before !== "live" && stream.state === "live" ? gone : null;
            if (stream.state !== "live") announce(`${this.name} ${words(stream)}`);
            else if (this.wasGone !== null) announce(`${this.name} is back`);
        }
        const time = seconds(0);
        this.rate = this.counted ? (this.drawn - this.counted.drawn) / (time - this.counted.time) : null;
        this.counted = { drawn: this.drawn, time };
        this.stream = stream;
        this.show();
    }

    /** How long no picture was drawn although the page watches; 0 = not known. */
    get silence() {
        return this.drawn > 0 && this.watched ? seconds(Math.max(this.drawnAt, this.watchedAt)) : 0;
    }

    /** One of `grades`. A stream of few pictures is not late between two of them. */
    get grade() {
        const { stream, silence, pace } = this;
        if (stream.state !== "live") return stream.state;
        if (stream.frames === 0) return "waiting";
        if (silence > Math.max(3, 3 * pace)) return "silent";
        return this.watched && this.behind > Math.max(1, 3 * pace) ? "late" : "live";
    }

    /** The age of the picture on the screen in seconds, as far as it is known. */
    get behind() { return (this.age ?? 0) / 1000 + this.silence; }

    /** Shows everything except the picture. */
    show() {
        const { stream, grade, silence } = this;
        for (const name of grades) this.element.classList.toggle(name, name === grade);
        const back = this.wasGone !== null && this.wasGone !== undefined && seconds(this.since) < 8;
        const state = {
            live: back ? `Back ${this.wasGone}` : "Live", late: `${this.behind.toFixed(1)} s late`, silent: `Silent ${duration(silence)}`, waiting: "Waiting",
            lost: "Lost", ended: "Ended",
        }[grade];
        write(this.state, offline() ? "Not connected" : state);
        this.note.hidden = grade !== "silent" || offline();
        write(this.note, `No new picture for ${duration(silence)}`);
        this.veil.hidden = stream.state === "live" && this.drawn > 0;
        if (stream.state === "live") {
            write(this.veil, this.undecodable > 0 ? "The pictures cannot be decoded by this browser" : "Waiting for a picture");
        } else {
            const reason = stream.reason ?? "";
            this.veil.replaceChildren(
                make("b", { textContent: stream.state === "lost" ? "Stream lost" : "Stream ended" }),
                make("span", { textContent: reason, title: reason }), make("span", { textContent: ago(seconds(this.since)) }));
        }
        for (const [index, [, , value]] of figures.entries()) write(this.values[index].value, value(stream, this));
        plot(this.plot, stream.history ?? [], stream.latency_ms);
    }

    /** Takes a decoded picture, which is drawn with the browser's next frame. */
    offer(picture) {
        // The tile may have been removed, and a small picture may be decoded before an earlier large one.
        const isLate = picture.serial < (this.pending ?? this.shown)?.serial;
        if (document.hidden || isLate || tiles.get(this.name) !== this) return discard(picture);
        if (this.pending) discard(this.pending);
        this.pending = picture;
        requestDrawing();
    }

    paint() {
        const { bitmap, header, arrived } = this.pending;
        const { width, height } = bitmap;
        // Setting either size clears the canvas.
        const resized = this.canvas.width !== width || this.canvas.height !== height;
        if (resized) Object.assign(this.canvas, { width, height });
        this.context.drawImage(bitmap, 0, 0);
        if (this.silence > 0) this.pace = this.pace > 0 ? 0.8 * this.pace + 0.2 * this.silence : this.silence;
        this.drawn += 1;
        this.drawnAt = performance.now();
        this.age = header.age_ms === null ? null : header.age_ms + this.drawnAt - arrived;
        this.veil.hidden ||= this.stream.state === "live";
        this.shown = this.pending;
        this.pending = null;
        discard(this.shown);
        if (!this.note.hidden) this.show();
        if (resized) layOut();
    }
}

const words = ({ state, reason }) => (state === "lost" ? "is lost" : "has ended") + (reason ? `: ${reason}` : "");
