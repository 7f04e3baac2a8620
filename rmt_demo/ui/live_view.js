// Paints the frames of live_view.py. gr.HTML calls this once with its element, its props and `watch`; the template
// never changes, so the canvases stay while frames come.
const find = (name) => element.querySelector(name);
const FACT = "#e66100";
const VIRIDIS = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"];

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// 256 colours that run evenly through the given ones, as [red, green, blue].
function ramp(stops) {
  const colours = stops.map(rgb);
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    return colours[low].map((c, k) => Math.round(c + (colours[low + 1][k] - c) * (at - low)));
  });
}

const WRITES = ramp(VIRIDIS);
const SIGNED = { light: ramp(["#08519c", "#f4f4f4", "#d94801"]), dark: ramp(["#6baed6", "#20232a", "#fd8d3c"]) };

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// An array of rows x columns bytes as a small picture, to be drawn at any size.
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

// A canvas as sharp as the screen, empty, with its size in CSS pixels.
function fresh(name) {
  const canvas = find(name);
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.imageSmoothingEnabled = false;
  return { pen, width, height };
}

function theme() {
  const style = getComputedStyle(element);
  return {
    dark: !!document.querySelector(".dark"),
    text: style.getPropertyValue("--body-text-color").trim() || "#222",
    quiet: style.getPropertyValue("--border-color-primary").trim() || "#ccc",
  };
}

function timeline(frame) {
  const { pen, width, height } = fresh(".timeline");
  const { text, quiet } = theme();
  const edge = 8; // room for half a marker at both ends
  const x = (share) => edge + share * (width - 2 * edge);
  const head = x(frame.head);
  pen.fillStyle = quiet;
  pen.fillRect(x(0), 18, x(1) - x(0), 8);
  pen.fillRect(x(0), 32, x(1) - x(0), height - 32);
  pen.fillStyle = text;
  pen.fillRect(x(0), 18, head - x(0), 8);
  if (frame.rows) {
    const shown = Math.floor(frame.seen * frame.columns);
    const drawn = picture(bytes(frame.timeline), frame.rows, frame.columns, WRITES, shown);
    pen.drawImage(drawn, x(0), 32, x(1) - x(0), height - 32);
  }
  pen.fillStyle = FACT;
  for (const share of frame.facts) {
    pen.beginPath();
    pen.moveTo(x(share) - 6, 3);
    pen.lineTo(x(share) + 6, 3);
    pen.lineTo(x(share), 16);
    pen.fill();
    pen.fillRect(x(share) - 0.5, 16, 1, 12);
  }
  pen.fillStyle = text;
  pen.fillRect(head - 1, 14, 2, height - 14);
}

function memory(frame) {
  const { pen, width, height } = fresh(".memory");
  const { dark, quiet } = theme();
  const left = width * 0.8;
  if (!frame.rows) {
    pen.fillStyle = quiet;
    pen.fillRect(0, 0, left, height);
    return;
  }
  const colours = dark ? SIGNED.dark : SIGNED.light;
  pen.drawImage(picture(bytes(frame.memory), frame.rows, frame.width, colours), 0, 0, left, height);
  const row = height / frame.rows;
  bytes(frame.norms).forEach((norm, i) => {
    pen.fillStyle = quiet;
    pen.fillRect(left + 8, i * row + 1, width - left - 8, row - 2);
    pen.fillStyle = `rgb(${WRITES[norm]})`;
    pen.fillRect(left + 8, i * row + 1, ((width - left - 8) * norm) / 255, row - 2);
  });
}

let frame = { head: 0, seen: 0, facts: [], rows: 0 };

function paint() {
  frame = { ...frame, ...props.value }; // a notice has a line only
  if (frame.line) find(".line").textContent = frame.line;
  timeline(frame);
  memory(frame);
}

watch("value", paint);
new ResizeObserver(paint).observe(element);
paint();
