"use strict";
// Texts and answers reach the page by textContent alone: what holds HTML stays text.

const $ = (selector, from = document) => from.querySelector(selector);
const AT_ONCE = 32, ROWS_SHOWN = 500;
let token = "";

function element(name, content = "", className = "") {
  const made = document.createElement(name);
  made.textContent = content;
  if (className) made.className = className;
  return made;
}

function say(text = "") {
  $("#message").textContent = text;
}

async function ask(path, body, signal) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const settings = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const response = await fetch(path, { ...settings, headers, signal });
  if (response.ok) return response;
  if (response.status === 401) $("#login").hidden = false;
  const found = await response.json().catch(() => ({ error: response.statusText }));
  throw new Error(found.error);
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

// What each kind of model asks for and shows. `show` puts an answer into a place.

function showClassification(place, model, text, row) {
  const chosen = (row.predicted_label || "").split("|");
  const names = [...model.class_names];
  names.sort((a, b) => chosen.includes(b) - chosen.includes(a) || row[`score_${b}`] - row[`score_${a}`]);
  for (const name of names) {
    const score = row[`score_${name}`], threshold = model.thresholds[name];
    const bar = element("div", "", chosen.includes(name) ? "bar chosen" : "bar");
    const track = element("div", "", "track"), fill = element("div", "", "fill");
    fill.style.width = `${100 * score}%`;
    track.append(fill);
    if (threshold !== undefined) {
      const line = element("div", "", "threshold");
      line.style.left = `${100 * threshold}%`;
      line.title = `threshold ${percent(threshold)}`;
      track.append(line);
    }
    bar.append(element("span", name, "name"), track, element("span", percent(score), "share"));
    place.append(bar);
  }
  if (row.explanation) {
    const words = element("p", "", "text");
    const strongest = Math.max(...row.explanation.map(([, weight]) => Math.abs(weight))) || 1;
    for (const [word, weight] of row.explanation) {
      const mark = element("mark", word);
      const colour = weight > 0 ? "224,49,49" : "34,110,225";
      mark.style.background = `rgba(${colour},${0.75 * Math.abs(weight / strongest)})`;
      mark.title = `weight ${weight.toFixed(3)}`;
      words.append(mark, " ");
    }
    const note = `Red words speak for ${row.predicted_label}, blue ones against it.`;
    place.append(words, element("p", note, "note"));
  }
}

function showEntities(place, model, text, row) {
  const shown = element("p", "", "text"), characters = Array.from(text);
  let end = 0;
  for (const entity of row.entities || []) {
    shown.append(characters.slice(end, entity.start).join(""));
    const kind = Math.max(0, model.class_names.indexOf(entity.type)) % 6;
    const mark = element("mark", characters.slice(entity.start, entity.end).join(""), `kind-${kind}`);
    mark.title = percent(entity.score);
    mark.append(element("small", entity.type));
    shown.append(mark);
    end = entity.end;
  }
  shown.append(characters.slice(end).join(""));
  place.append(shown);
  if (!(row.entities || []).length) place.append(element("p", "No entities.", "note"));
}

function showTranslation(place, model, text, row) {
  place.append(element("p", row.translation ?? row.summary ?? row.answer, "text"));
  if (!row.alignment) return;
  const { source, target, weights } = row.alignment;
  const table = element("table", "", "map"), head = element("tr");
  head.append(element("th"), ...source.map((word) => element("th", word)));
  table.append(head);
  target.forEach((word, i) => {
    const line = element("tr");
    line.append(element("th", word));
    for (const weight of weights[i]) {
      const cell = element("td", weight >= 0.05 ? weight.toFixed(2) : "");
      cell.style.background = `rgba(43,108,176,${weight})`;
      line.append(cell);
    }
    table.append(line);
  });
  const scroll = element("div", "", "scroll");
  scroll.append(table);
  place.append(scroll, element("p", "How much each word looked at the words above.", "note"));
}

function showContinuation(place, model, text, row) {
  const shown = element("p", text, "text");
  shown.append(element("span", row.continuation, "new"));
  place.append(shown);
}

const KINDS = {
  "classifier": { verb: "Classify", show: showClassification },
  "tagger": { verb: "Find names", show: showEntities },
  "translator": { verb: "Translate", show: showTranslation },
  "summarizer": { verb: "Summarize", show: showTranslation },
  "chatbot": { verb: "Answer", show: showTranslation },
  "language model": { verb: "Continue", show: showContinuation },
};
const SLIDERS = {
  max_length: { title: "tokens", min: 1, max: 500, step: 1, value: 100 },
  temperature: { title: "temperature", min: 0, max: 2, step: 0.05, value: 0.8 },
  top_k: { title: "top k", min: 0, max: 100, step: 1, value: 0 },
  top_p: { title: "top p", min: 0.05, max: 1, step: 0.05, value: 1 },
  seed: { title: "seed", min: 0, max: 100, step: 1, value: 0 },
};
const CHECKS = { explain: "what each word adds", alignment: "where each word looked" };

function addOptions(place, names) {
  for (const name of names) {
    const label = element("label"), input = element("input"), slider = SLIDERS[name];
    input.name = name;
    if (slider) {
      Object.assign(input, { type: "range", min: slider.min, max: slider.max, step: slider.step });
      input.value = slider.value;
      const shown = element("output", input.value);
      input.addEventListener("input", () => { shown.textContent = input.value; });
      label.append(slider.title, input, shown);
    } else {
      input.type = "checkbox";
      label.append(input, CHECKS[name] || name);
    }
    place.append(label);
  }
}

function optionsIn(place) {
  const entries = [...place.querySelectorAll("input")].map((input) => [
    input.name, input.type === "checkbox" ? input.checked : Number(input.value),
  ]);
  return Object.fromEntries(entries);
}

// Server-sent events of a response to POST, which EventSource cannot send.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [kind, data] = block.split("\n");
      yield [kind.slice("event: ".length), JSON.parse(data.slice("data: ".length))];
    }
  }
}

async function stream(model, text, options, place, signal) {
  const shown = element("p", text, "text"), added = element("span", "", "new");
  shown.append(added);
  place.append(shown);
  const body = { texts: [text], options };
  const response = await ask(`/api/${model.name}/stream`, body, signal);
  for await (const [kind, value] of events(response)) {
    if (kind === "piece") added.append(value.piece);
    if (kind === "error") throw new Error(value.error);
    if (kind === "answer") added.textContent = value.continuation;
  }
}

async function answer(model, text, options, place, signal) {
  const response = await ask(`/api/${model.name}`, { texts: [text], options }, signal);
  const found = await response.json();
  KINDS[model.kind].show(place, model, text, found.answers[0]);
}

function parseCsv(content) {
  const rows = [[]];
  for (const [, cell, quoted, end] of content.matchAll(/((?:"((?:[^"]|"")*)"|[^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? cell : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}

function textsIn(name, content) {
  if (name.endsWith(".jsonl")) {
    return content.split("\n").filter(Boolean).map((line) => JSON.parse(line).text);
  }
  if (!name.endsWith(".csv")) return content.split(/\r?\n/);
  const [head, ...rows] = parseCsv(content);
  const column = head.indexOf("text");
  if (column < 0) throw new Error(`no column "text" in ${name}. It has: ${head.join(", ")}`);
  return rows.map((row) => row[column]);
}

function cellOf(value) {
  return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

// A spreadsheet would run a cell that begins like a formula.
function csvCell(value) {
  const text = typeof value === "number" ? String(value) : cellOf(value).replace(/^[=+\-@\t\r]/, "'$&");
  return `"${text.replaceAll('"', '""')}"`;
}

async function answerFile(model, file, panel) {
  const texts = textsIn(file.name.toLowerCase(), await file.text()).filter((text) => typeof text === "string" && text.trim());
  const table = $(".rows", panel), progress = $(".progress", panel), found = [];
  const columns = ["text", ...model.columns];
  table.replaceChildren(element("tr"));
  table.rows[0].append(...columns.map((name) => element("th", name)));
  for (let i = 0; i < texts.length; i += AT_ONCE) {
    const part = texts.slice(i, i + AT_ONCE);
    const response = await ask(`/api/${model.name}`, { texts: part });
    (await response.json()).answers.forEach((row, j) => {
      const cells = columns.map((name) => (name === "text" ? part[j] : row[name]));
      found.push(cells);
      if (found.length > ROWS_SHOWN) return;
      const line = element("tr");
      line.append(...cells.map((cell) => element("td", cellOf(cell))));
      table.append(line);
    });
    progress.textContent = `${found.length} of ${texts.length} answered`;
  }
  const button = $(".download", panel);
  button.disabled = !found.length;
  button.onclick = () => {
    const lines = [columns, ...found].map((row) => row.map(csvCell).join(","));
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = `${model.name}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
}

function addPanel(model) {
  const panel = $("#panel").content.cloneNode(true).firstElementChild;
  const tab = element("button", model.name);
  const kind = KINDS[model.kind], streams = model.kind === "language model";
  tab.type = "button";
  tab.setAttribute("role", "tab");
  panel.id = `panel-${model.name}`;
  tab.setAttribute("aria-controls", panel.id);
  $(".facts", panel).textContent = `${model.application.replace("_", " ")}: version ${model.version}, answers by ${model.engine}`;
  $(".go", panel).textContent = kind.verb;
  $(".stop", panel).hidden = !streams;
  addOptions($(".options", panel), model.options);
  let stop = new AbortController();
  $(".stop", panel).addEventListener("click", () => stop.abort());
  $(".ask", panel).addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = $(".answer", panel), text = $("textarea", panel).value;
    stop = new AbortController();
    say();
    place.replaceChildren();
    $(".go", panel).disabled = true;
    $(".stop", panel).disabled = false;
    try {
      const options = optionsIn($(".options", panel));
      await (streams ? stream : answer)(model, text, options, place, stop.signal);
    } catch (error) {
      if (error.name !== "AbortError") say(error.message);
    }
    $(".go", panel).disabled = false;
    $(".stop", panel).disabled = true;
  });
  $("textarea", panel).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $(".ask", panel).requestSubmit();
  });
  $("input[type=file]", panel).addEventListener("change", async (event) => {
    say();
    try {
      await answerFile(model, event.target.files[0], panel);
    } catch (error) {
      say(error.message);
    }
  });
  tab.addEventListener("click", () => {
    for (const each of $("#tabs").children) each.setAttribute("aria-selected", each === tab);
    for (const each of $("#panels").children) each.hidden = each !== panel;
    say();
  });
  $("#tabs").append(tab);
  $("#panels").append(panel);
}

async function begin() {
  say();
  $("#tabs").replaceChildren();
  $("#panels").replaceChildren();
  try {
    const { models } = await (await ask("/api")).json();
    const ready = models.filter((model) => model.ready);
    ready.forEach(addPanel);
    if (ready.length) $("#tabs").firstElementChild.click();
    if (ready.length < models.length) {
      say("Models are being loaded ...");
      setTimeout(begin, 2000);
    }
  } catch (error) {
    say(error.message);
  }
}

$("#login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("#token").value;
  $("#login").hidden = true;
  begin();
});
begin();
