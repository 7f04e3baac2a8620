// One segment: its text, shaded by the memory tokens' attention, and a heatmap with one row per memory token.
function weightsOf(view, data) {
  const count = view.tokens.length;
  const row = (r) => data.subarray(r * count, (r + 1) * count);
  if (view.row >= 0) return Float32Array.from(row(view.row), (byte) => (byte / 255) * view.peak);
  const mean = new Float32Array(count);
  for (let r = 0; r < view.rows; r++) row(r).forEach((byte, i) => (mean[i] += ((byte / 255) * view.peak) / view.rows));
  return mean;
}

const percent = (weight) => `${(100 * weight).toFixed(weight < 0.01 ? 2 : 1)}%`;

function text(view, weights) {
  const most = Math.max(...weights, 1e-9);
  const inside = (i) => view.facts.some(([first, end]) => i >= first && i < end);
  const pieces = view.tokens.map((token, i) => {
    const joined = token.startsWith("##");
    const piece = make("span", (joined || !i ? "" : " ") + (joined ? token.slice(2) : token), inside(i) ? "fact" : "");
    piece.style.backgroundColor = `rgba(0, 114, 178, ${(0.7 * weights[i]) / most})`;
    piece.dataset.at = i;
    piece.title = percent(weights[i]);
    return piece;
  });
  find(".text").replaceChildren(...pieces);
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]).slice(0, 5);
  const best = order.map((i) => `${view.tokens[i]} ${percent(weights[i])}`).join(" · ");
  find(".strongest").textContent = best && `Most attention (darkest; the scale differs between segments): ${best}`;
}

function rows(view, data) {
  const { pen, width, height } = fresh(find("canvas"));
  if (!view.rows) return;
  pen.drawImage(picture(data, view.rows, view.tokens.length, WRITES), 0, 0, width, height);
  if (view.row < 0) return;
  pen.strokeStyle = FACT;
  pen.lineWidth = 2;
  pen.strokeRect(1, (view.row * height) / view.rows, width - 2, height / view.rows);
}

function paint() {
  const view = props.value;
  if (!view) return;
  const data = bytes(view.weights);
  find(".title").textContent = view.title;
  find(".line").textContent = view.line;
  find(".hover").textContent = "";
  const weights = weightsOf(view, data);
  text(view, weights);
  rows(view, data);
  find(".text").onmouseover = (event) => {
    const i = event.target.dataset.at;
    find(".hover").textContent = i === undefined ? "" : `“${view.tokens[i]}” got ${percent(weights[i])} of the attention`;
  };
}

watch("value", paint);
new ResizeObserver(paint).observe(element);
paint();
