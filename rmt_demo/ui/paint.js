// Shared by all views. gr.HTML runs a script once, with its element, its props and `watch`.
const find = (name) => element.querySelector(name);
const FACT = "#e66100";
// Colour-blind safe colours (Okabe and Ito); lines also differ in their dashes.
const LINES = { light: ["#0072b2", "#d55e00", "#007a5a"], dark: ["#56b4e9", "#e69f00", "#3fd0a0"] };
const VIRIDIS = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"];
const EDGE = 8; // margin for half a marker at both ends of a canvas

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// 256 colours interpolated evenly between the given ones, as [red, green, blue].
function ramp(stops) {
  const colours = stops.map(rgb);
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    return colours[low].map((c, k) => Math.round(c + (colours[low + 1][k] - c) * (at - low)));
  });
}

const WRITES = ramp(VIRIDIS);

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// Turns rows x columns bytes into a small canvas, to be drawn at any size.
function picture(data, rows, columns, colours, shown = columns) {
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  const image = new ImageData(columns, rows);
  data.forEach((value, i) => {
    image.data.set(colours[value], 4 * i);
    image.data[4 * i + 3] = i % columns < shown ? 255 : 0;
  });
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
}

// Clears a canvas and sets its resolution to the screen's; sizes are in CSS pixels.
function fresh(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.imageSmoothingEnabled = false;
  const x = (share) => EDGE + share * (width - 2 * EDGE);
  return { pen, width, height, x };
}

function theme() {
  const style = getComputedStyle(element);
  const dark = !!document.querySelector(".dark");
  element.classList.toggle("night", dark); // for the style sheet, which is scoped to the element
  return {
    dark,
    text: style.getPropertyValue("--body-text-color").trim() || "#222",
    ground: style.getPropertyValue("--body-background-fill").trim() || "#fff",
    quiet: style.getPropertyValue("--border-color-primary").trim() || "#ccc",
  };
}

// Draws a triangle that points down (or up) at (x, y).
function triangle(pen, x, y, size, up = false) {
  const way = up ? -1 : 1;
  pen.beginPath();
  pen.moveTo(x - size, y - way * size);
  pen.lineTo(x + size, y - way * size);
  pen.lineTo(x, y + way * size);
  pen.fill();
}

// Marks the facts above the text's strip.
function facts(pen, x, shares) {
  pen.fillStyle = FACT;
  for (const share of shares) {
    triangle(pen, x(share), 9, 6);
    pen.fillRect(x(share) - 0.5, 16, 1, 12);
  }
}

// Creates an element with text, which is never parsed as HTML.
function make(tag, words = "", name = "") {
  const made = document.createElement(tag);
  made.textContent = words;
  made.className = name;
  return made;
}
