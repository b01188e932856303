// The image viewer: one detector on a <canvas>, by tiles rendered on request.
//
// data-info  → {width, height, tile, levels, amplifiers: [{name, x0, y0, x1, y1}], unit}
// data-tiles → URL with {z} {x} {y}; level z is binned by 2^z, z = 0 is full resolution; ?stretch=&range= are added.
//              A tile is an image of at most `tile` × `tile` pixels whose first line is its lowest detector row; 404 outside.
// data-pixel → ?x=&y= gives {value, unit, amplifier}
//
// x grows to the right and y upwards, as astronomers draw images. What is seen is in the URL: stretch and range as
// parameters, place and scale in the hash, so that a view can be linked to.
import { refusal } from "./refusal.js";
import { colour } from "./theme.js";

const MOST_TILES = 300;
const LARGEST_SCALE = 32; // screen pixels for each detector pixel
const READ_AFTER_MS = 120;
const POINT = "point at a pixel";
const LABEL_GROUND = "rgb(0 0 0 / 0.7)";
const OUTLINE = "#ffc04d"; // on an image the theme does not matter: it is seen against greys

export function startViewers() {
  for (const root of document.querySelectorAll("[data-viewer]")) start(root);
}

async function start(root) {
  const state = root.querySelector(".viewer-state");
  try {
    const response = await fetch(root.dataset.info, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!response.ok) throw new Error(await refusal(response));
    new Viewer(root, await response.json());
    state.hidden = true;
  } catch (error) {
    state.textContent = `The image cannot be shown: ${error.message}. Reload to try again.`;
    root.dataset.state = "failed";
  }
}

class Viewer {
  constructor(root, info) {
    this.root = root;
    this.info = info;
    this.canvas = root.querySelector("canvas");
    this.readout = root.querySelector(".viewer-readout");
    this.tiles = new Map(); // URL → image; the oldest are dropped
    this.measure();
    this.fromUrl();
    this.listen();
    this.draw();
  }

  control(name) {
    return this.root.querySelector(`[name="${name}"]`);
  }

  measure() {
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * this.ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * this.ratio);
  }

  get fitting() {
    return Math.min(this.canvas.width / this.info.width, this.canvas.height / this.info.height) * 0.98;
  }

  fromUrl() {
    const query = new URLSearchParams(location.search);
    for (const name of ["stretch", "range"]) if (query.has(name)) this.control(name).value = query.get(name);
    const [x, y, scale] = ["x", "y", "scale"].map((name) => Number(new URLSearchParams(location.hash.slice(1)).get(name)));
    this.view = scale > 0 ? { x, y, scale } : this.whole();
  }

  whole() {
    return { x: this.info.width / 2, y: this.info.height / 2, scale: this.fitting };
  }

  toUrl() {
    const query = new URLSearchParams(location.search);
    for (const name of ["stretch", "range"]) query.set(name, this.control(name).value);
    const { x, y, scale } = this.view;
    history.replaceState(null, "", `?${query}#x=${x.toFixed(1)}&y=${y.toFixed(1)}&scale=${scale.toPrecision(4)}`);
  }

  listen() {
    const { canvas, root } = this;
    new ResizeObserver(() => { this.measure(); this.draw(); }).observe(canvas);
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(2 ** (-event.deltaY / 240), this.at(event)); }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.dragged = event; });
    canvas.addEventListener("pointerup", () => { this.dragged = null; this.toUrl(); });
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    canvas.addEventListener("keydown", (event) => this.pressed(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
    root.addEventListener("change", () => { this.toUrl(); this.draw(); });
    for (const button of root.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => this.command(button.dataset.zoom));
    document.addEventListener("dayops:theme", () => this.draw());
  }

  command(name) {
    if (name === "in") this.zoom(2);
    else if (name === "out") this.zoom(0.5);
    else if (name === "one") this.zoom(this.ratio / this.view.scale);
    else { this.view = this.whole(); this.changed(); }
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = 60 * this.ratio / this.view.scale;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const commands = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "one" };
    if (moves[event.key]) this.pan(...moves[event.key]);
    else if (commands[event.key]) this.command(commands[event.key]);
    else if (event.key === "Enter") this.read(this.view);
    else return;
    event.preventDefault(); // and so the page's own keys leave it alone
  }

  at({ offsetX, offsetY }) {
    const { x, y, scale } = this.view;
    return { x: x + (offsetX * this.ratio - this.canvas.width / 2) / scale, y: y - (offsetY * this.ratio - this.canvas.height / 2) / scale };
  }

  zoom(factor, about = this.view) {
    const scale = Math.min(LARGEST_SCALE * this.ratio, Math.max(this.fitting / 4, this.view.scale * factor));
    const kept = this.view.scale / scale;
    this.view = { x: about.x + (this.view.x - about.x) * kept, y: about.y + (this.view.y - about.y) * kept, scale };
    this.changed();
  }

  pan(dx, dy) {
    const within = (value, size) => Math.min(size, Math.max(0, value));
    this.view = { ...this.view, x: within(this.view.x + dx, this.info.width), y: within(this.view.y + dy, this.info.height) };
    this.changed();
  }

  moved(event) {
    if (this.dragged) {
      const perPixel = this.ratio / this.view.scale;
      this.pan((this.dragged.offsetX - event.offsetX) * perPixel, (event.offsetY - this.dragged.offsetY) * perPixel);
      this.dragged = event;
    } else {
      clearTimeout(this.readTimer);
      const place = this.at(event);
      this.readTimer = setTimeout(() => this.read(place), READ_AFTER_MS);
    }
  }

  changed() {
    clearTimeout(this.urlTimer);
    this.urlTimer = setTimeout(() => this.toUrl(), 300);
    this.draw();
  }

  async read({ x, y }) {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column < 0 || row < 0 || column >= this.info.width || row >= this.info.height) return void (this.readout.textContent = POINT);
    this.reading?.abort();
    this.reading = new AbortController();
    try {
      const response = await fetch(`${this.root.dataset.pixel}?x=${column}&y=${row}`, { signal: this.reading.signal, credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const { value, unit, amplifier } = await response.json();
      const shown = typeof value === "number" ? value.toPrecision(6) : "–";
      this.readout.textContent = `x ${column}  y ${row}  ${amplifier ?? ""}  ${shown} ${unit ?? this.info.unit ?? ""}`;
    } catch (error) {
      if (error.name !== "AbortError") this.readout.textContent = `x ${column}  y ${row}  no value (${error.message})`;
    }
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const pen = this.canvas.getContext("2d");
    const { x, y, scale } = this.view;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    pen.setTransform(scale, 0, 0, -scale, this.canvas.width / 2 - x * scale, this.canvas.height / 2 + y * scale);
    pen.imageSmoothingEnabled = scale < 1;
    for (const place of this.visible()) this.paintTile(pen, place);
    if (this.control("outlines").checked) this.paintOutlines(pen);
    if (document.activeElement === this.canvas) this.paintCross(pen);
    this.root.dataset.state = this.waiting > 0 ? "loading" : "drawn";
  }

  // The level whose pixels are just finer than the screen's, and its tiles that are on the screen.
  *visible() {
    const { info, view, canvas } = this;
    const z = Math.min(info.levels - 1, Math.max(0, Math.floor(Math.log2(1 / view.scale))));
    const side = info.tile * 2 ** z;
    const [halfWidth, halfHeight] = [canvas.width / 2 / view.scale, canvas.height / 2 / view.scale];
    const range = (centre, half, size) => [Math.max(0, Math.floor((centre - half) / side)), Math.min(Math.ceil(size / side) - 1, Math.floor((centre + half) / side))];
    const [x0, x1] = range(view.x, halfWidth, info.width);
    const [y0, y1] = range(view.y, halfHeight, info.height);
    this.waiting = 0;
    for (let ty = y0; ty <= y1; ty++) for (let tx = x0; tx <= x1; tx++) yield { z, tx, ty, side };
  }

  paintTile(pen, { z, tx, ty, side }) {
    const image = this.tile(z, tx, ty);
    if (!image.complete) return void (this.waiting += 1);
    if (!image.naturalWidth) return;
    pen.drawImage(image, tx * side, ty * side, image.naturalWidth * 2 ** z, image.naturalHeight * 2 ** z);
  }

  tile(z, tx, ty) {
    const address = this.root.dataset.tiles.replace("{z}", z).replace("{x}", tx).replace("{y}", ty);
    const looks = new URLSearchParams(["stretch", "range"].map((name) => [name, this.control(name).value]));
    const url = `${address}${address.includes("?") ? "&" : "?"}${looks}`;
    if (!this.tiles.has(url)) {
      const image = new Image();
      image.onload = image.onerror = () => this.draw();
      image.src = url;
      this.tiles.set(url, image);
      if (this.tiles.size > MOST_TILES) this.tiles.delete(this.tiles.keys().next().value);
    }
    return this.tiles.get(url);
  }

  paintOutlines(pen) {
    const { scale } = this.view;
    pen.strokeStyle = pen.fillStyle = OUTLINE;
    pen.lineWidth = this.ratio / scale;
    pen.font = `${11 * this.ratio}px sans-serif`;
    for (const { name, x0, y0, x1, y1 } of this.info.amplifiers) {
      pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
      if ((x1 - x0) * scale < 40 * this.ratio) continue;
      pen.save();
      pen.translate(x0, y1);
      pen.scale(1 / scale, -1 / scale); // letters stand upright though y grows upwards
      pen.fillStyle = LABEL_GROUND;
      pen.fillRect(1 * this.ratio, 1 * this.ratio, pen.measureText(name).width + 6 * this.ratio, 16 * this.ratio);
      pen.fillStyle = OUTLINE;
      pen.fillText(name, 4 * this.ratio, 13 * this.ratio);
      pen.restore();
    }
  }

  paintCross(pen) {
    const { x, y, scale } = this.view;
    const arm = 9 * this.ratio / scale;
    pen.strokeStyle = colour("accent");
    pen.lineWidth = 1.5 * this.ratio / scale;
    pen.strokeRect(x - arm / 2, y - arm / 2, arm, arm);
  }
}
