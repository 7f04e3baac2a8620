// Draws the frames of live_view.py. The template never changes, so the canvases persist between frames.
const SIGNED = { light: ramp(["#08519c", "#f4f4f4", "#d94801"]), dark: ramp(["#6baed6", "#20232a", "#fd8d3c"]) };
const UNSEEN = 255;
const BARS = 44; // pixels
const SAYS = { learned: "learned", forgot: "forgot, now", changed: "answers", missed: "missed, the facts now say" };
const SYMBOL = { learned: "▲", forgot: "▼", changed: "●", missed: "▽" };

function timeline(frame) {
  const { pen, width, height, x } = fresh(find(".timeline"));
  const { text, quiet } = theme();
  const head = x(frame.head);
  pen.fillStyle = quiet;
  pen.fillRect(x(0), 18, x(1) - x(0), 8);
  pen.fillRect(x(0), 36 + BARS, x(1) - x(0), height - 36 - BARS);
  pen.fillRect(x(0), 31 + BARS, x(1) - x(0), 1);
  pen.fillStyle = text;
  pen.fillRect(x(0), 18, head - x(0), 8);
  if (frame.rows) {
    const shown = Math.floor(frame.seen * frame.columns);
    const drawn = picture(bytes(frame.timeline), frame.rows, frame.columns, WRITES, shown);
    pen.drawImage(drawn, x(0), 36 + BARS, x(1) - x(0), height - 36 - BARS);
    stored(pen, frame, x(0), 36 + BARS, x(1) - x(0), height - 36 - BARS);
    const step = (x(1) - x(0)) / frame.columns;
    pen.fillStyle = theme().dark ? LINES.dark[0] : LINES.light[0];
    bytes(frame.writes).forEach((sum, i) => {
      const tall = (sum / 255) * BARS;
      pen.fillRect(x(0) + i * step, 31 + BARS - tall, Math.ceil(step) + 0.5, tall);
    });
  }
  facts(pen, x, frame.facts);
  pen.fillStyle = text;
  pen.fillRect(head - 1, 14, 2, height - 14);
}

// Draws the line between working memory tokens (above) and stored tokens (below).
function stored(pen, frame, left, top, width, height) {
  if (frame.working === frame.rows) return;
  const { text, ground } = theme();
  const y = top + (height * frame.working) / frame.rows;
  pen.fillStyle = ground; // an edge, for contrast with any colour
  pen.fillRect(left, y - 2, width, 4);
  pen.fillStyle = text;
  pen.fillRect(left, y - 1, width, 2);
}

function memory(frame) {
  const { pen, width, height } = fresh(find(".memory"));
  const { dark, quiet } = theme();
  const left = width * 0.8;
  if (!frame.rows) {
    pen.fillStyle = quiet;
    pen.fillRect(0, 0, left, height);
    return;
  }
  const colours = dark ? SIGNED.dark : SIGNED.light;
  pen.drawImage(picture(bytes(frame.memory), frame.rows, frame.width, colours), 0, 0, left, height);
  stored(pen, frame, 0, 0, left, height);
  const row = height / frame.rows;
  const gap = row > 4 ? 1 : 0.5;
  bytes(frame.norms).forEach((norm, i) => {
    pen.fillStyle = quiet;
    pen.fillRect(left + 8, i * row + gap, width - left - 8, row - 2 * gap);
    pen.fillStyle = `rgb(${WRITES[norm]})`;
    pen.fillRect(left + 8, i * row + gap, ((width - left - 8) * norm) / 255, row - 2 * gap);
  });
}

function meter(frame) {
  if (!frame.meter) return;
  const [own, full] = frame.meter.shares;
  find(".own").textContent = frame.meter.own;
  find(".full").textContent = frame.meter.full;
  find(".own-bar").style.width = `${100 * own}%`;
  find(".full-bar").style.width = `${100 * full}%`;
}

function beliefs(frame) {
  find(".beliefs").hidden = !frame.beliefs.length;
  if (!frame.beliefs.length) return;
  const { pen, height, x } = fresh(find(".confidence"));
  const { dark, text, quiet, ground } = theme();
  const colours = dark ? LINES.dark : LINES.light;
  const y = (share) => 14 + (1 - share) * (height - 24);
  const levels = [0, 0.5, 1];
  pen.fillStyle = quiet;
  for (const share of levels) pen.fillRect(x(0), y(share), x(1) - x(0), 1);
  const lines = frame.beliefs.map((belief) => bytes(belief.line));
  const at = (k) => x((k + 0.5) / lines[0].length);
  lines.forEach((line, i) => {
    pen.strokeStyle = colours[i];
    pen.lineWidth = 2;
    pen.setLineDash([[], [6, 3], [2, 3]][i]);
    pen.beginPath();
    line.forEach((value, k) => {
      if (value === UNSEEN) return;
      const draw = k && line[k - 1] !== UNSEEN ? "lineTo" : "moveTo";
      pen[draw](at(k), y(value / (UNSEEN - 5)));
    });
    pen.stroke();
  });
  pen.setLineDash([]);
  pen.font = "11px sans-serif";
  pen.lineWidth = 3;
  pen.strokeStyle = ground;
  pen.fillStyle = text;
  pen.textAlign = "right"; // on the left are the first answers
  for (const share of levels) {
    pen.strokeText(`${100 * share}%`, x(1), y(share) - 3); // an outline, for contrast with the lines behind
    pen.fillText(`${100 * share}%`, x(1), y(share) - 3);
  }
  lines.forEach((line, i) => {
    for (const event of frame.beliefs[i].events) {
      pen.fillStyle = colours[i];
      const k = Math.min(Math.floor(event.at * line.length), line.length - 1);
      const high = line[k] === UNSEEN ? 0 : line[k] / (UNSEEN - 5);
      if (event.kind === "changed") {
        pen.beginPath();
        pen.arc(at(k), y(high), 4, 0, 7);
        pen.fill();
      } else triangle(pen, at(k), y(high), 6, event.kind === "learned");
      if (event.kind === "missed") {
        pen.fillStyle = ground; // hollow
        triangle(pen, at(k), y(high) - 1, 3);
      }
    }
  });
  find(".questions").replaceChildren(...frame.beliefs.map((belief, i) => told(belief, colours[i], i)));
}

// The list item of one question: its line style, the current answer and the past events.
function told(belief, colour, i) {
  const item = make("li");
  const key = make("span", ["━━", "╍╍", "┅┅"][i] + " ", "key");
  key.style.color = colour;
  const verdict = belief.right === null ? "" : belief.right ? " ✓ right so far" : " ✗ wrong so far";
  const now = belief.text ? `${belief.text}, ${Math.round(100 * belief.score)}%${verdict}` : "not asked yet";
  item.append(key, make("span", `${belief.question} `, "asked"), make("b", now));
  const story = belief.events.map((e) => `${SYMBOL[e.kind]} ${e.where}: ${SAYS[e.kind]} “${e.text}”`).join("   ");
  if (story) item.append(make("div", story, "story"));
  return item;
}

let frame = { head: 0, seen: 0, facts: [], rows: 0, beliefs: [] };

// Screen readers hear notices and endings only: in between, the line changes ten times a second.
function say(value) {
  const spoken = find(".spoken");
  if (value?.line && value.ended !== false && spoken.textContent !== value.line) spoken.textContent = value.line;
}

function paint() {
  frame = { ...frame, ...props.value }; // a notice has only a line
  if (frame.line) find(".line").textContent = frame.line;
  say(props.value);
  timeline(frame);
  memory(frame);
  meter(frame);
  beliefs(frame);
}

// A click on the timeline selects that segment under "Look closer"; keyboard users have the slider there.
find(".timeline").addEventListener("click", (event) => {
  const box = find(".timeline").getBoundingClientRect();
  const share = (event.clientX - box.left - EDGE) / (box.width - 2 * EDGE);
  trigger("seek", { share: Math.min(Math.max(share, 0), 1) });
});

watch("value", paint);
new ResizeObserver(paint).observe(element);
new MutationObserver(paint).observe(document.body, { attributes: true, attributeFilter: ["class"] });
paint();
