"use strict";
// Sends the forms of the pages as JSON, with the user's own session, and says in words what became of it.

async function send(address, method, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  return { ok: answer.ok, status: answer.status, said };
}

/* Why a server refused, as a sentence. */
function refusal({ status, said }, what) {
  if (status === 401) return "You are no longer logged in: log in to Airflow, then try again.";
  const detail = said.detail;
  const words = Array.isArray(detail)
    ? detail.map((each) => `${(each.loc ?? []).slice(-1)}: ${each.msg}`).join("; ")
    : typeof detail === "string" ? detail : `it answered with the status ${status}`;
  if (status === 403 && (words === "Forbidden" || words === "")) return `Your role may not ${what}: ask an administrator of Airflow.`;
  return words;
}

/* The form of a rule of data quality. */
async function acknowledge(form) {
  const answer = await send(form.dataset.sends, "POST", Object.fromEntries(new FormData(form)));
  if (!answer.ok) return refusal(answer, "acknowledge findings (it takes the right to run kalshi_data_quality)");
  setTimeout(() => window.location.reload(), 1000);
  return answer.said.detail;
}

/* A field of a DAG's param: its element, and how its value is read back. A schema is JSON Schema, as Airflow gives it. */
function field(name, { value, schema, description }, filled) {
  const types = [schema.type ?? "string"].flat();
  const label = document.createElement("label");
  const title = document.createElement("span");
  title.textContent = schema.title ?? name;
  const isFilled = filled !== null;
  const choices = schema.enum ?? schema.items?.enum;
  const input = document.createElement(choices ? "select" : "input");
  if (choices) {
    const chosen = isFilled ? filled.split(",") : [value].flat();
    input.multiple = types.includes("array");
    for (const choice of choices) input.add(new Option(choice, choice, false, chosen.includes(choice)));
    if (input.multiple) input.size = choices.length;
  } else if (types.includes("boolean")) {
    input.type = "checkbox";
    input.checked = isFilled ? filled === "true" : value === true;
  } else {
    input.type = types.includes("integer") || types.includes("number") ? "number" : schema.format === "date" ? "date" : "text";
    if (schema.minimum !== undefined) input.min = schema.minimum;
    if (schema.maximum !== undefined) input.max = schema.maximum;
    input.value = isFilled ? filled : [value ?? ""].flat().join(", ");
    input.required = !types.includes("null");
  }
  input.name = name;
  label.append(title, input);
  const about = schema.description ?? description;
  const place = document.createElement("div");
  place.append(label);
  if (about) {
    place.append(Object.assign(document.createElement("small"), { textContent: about, id: `about-${name}` }));
    input.setAttribute("aria-describedby", `about-${name}`);
  }
  const read = () => {
    if (input.type === "checkbox") return input.checked;
    if (input.multiple) return [...input.selectedOptions].map((option) => option.value);
    if (types.includes("array")) return input.value.split(/[\s,]+/).filter(Boolean);
    if (input.value === "") return null;
    return input.type === "number" ? Number(input.value) : input.value;
  };
  return { name, place, read };
}

/* Build the form of a DAG, filled in from the page's address. */
async function prepareRun(form) {
  const output = form.querySelector("output");
  const answer = await send(`${form.dataset.runs}/details`, "GET");
  if (!answer.ok) {
    output.textContent = answer.status === 404 ? "Airflow doesn't know this DAG yet: is its file in the DAGs folder?" : refusal(answer, "see this DAG");
    return;
  }
  const params = answer.said.params ?? {};
  const asked = new URLSearchParams(window.location.search);
  const fields = Object.entries(params).map(([name, param]) => field(name, param, asked.get(name)));
  if (answer.said.is_paused) {
    fields.push(field("", {
      value: true,
      schema: { type: "boolean", title: "Unpause the DAG" },
      description: "It is paused, so the run would wait. Unpaused, its schedule starts, too.",
    }, null));
  }
  form.querySelector(".fields").append(...fields.map(({ place }) => place));
  form.querySelector("button").disabled = false;
  const unknown = [...asked.keys()].filter((name) => !(name in params));
  output.textContent = unknown.length ? `This DAG has no param ${unknown.join(", ")}: left out.` : "";
  form.start = () => startRun(form, fields);
}

async function startRun(form, fields) {
  const unpause = fields.find(({ name }) => name === "");
  if (unpause?.read()) {
    const answer = await send(`${form.dataset.runs}?update_mask=is_paused`, "PATCH", { is_paused: false });
    if (!answer.ok) return refusal(answer, "unpause this DAG");
  }
  const conf = Object.fromEntries(fields.filter(({ name }) => name).map(({ name, read }) => [name, read()]));
  const answer = await send(`${form.dataset.runs}/dagRuns`, "POST", { logical_date: null, conf });
  if (!answer.ok) return refusal(answer, "start runs of this DAG");
  const run = answer.said.dag_run_id;
  form.followed = run;
  const follow = () => follows(form, run).catch(() => {});  // the link stays, and Airflow knows more
  setTimeout(follow, SECONDS_BETWEEN * 1000);
  return ["Started: ", link(`${form.dataset.shows}/runs/${encodeURIComponent(run)}`, run)];
}

const SECONDS_BETWEEN = 2;
const STATES = { queued: "Queued", running: "Running", success: "Done", failed: "Failed" };

/* Say beside the button what becomes of a run, until it has ended or the form has started another. */
async function follows(form, run) {
  const output = form.querySelector("output");
  for (;;) {
    const { ok, said } = await send(`${form.dataset.runs}/dagRuns/${encodeURIComponent(run)}`, "GET");
    if (!ok || form.followed !== run) return;
    output.firstChild.textContent = `${STATES[said.state] ?? said.state}: `;
    if (["success", "failed"].includes(said.state)) {
      output.append(" · ", link(`${form.dataset.reports}/${encodeURIComponent(run)}`, "its report"));
      output.append(" · ", link(form.dataset.overview, "overview"));
      return;
    }
    await new Promise((done) => setTimeout(done, SECONDS_BETWEEN * 1000));
  }
}

function link(href, textContent) {
  return Object.assign(document.createElement("a"), { href, textContent });
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-sends], form[data-runs]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const words = await (form.dataset.sends === undefined ? form.start() : acknowledge(form)).catch(
    () => "The server can't be reached: try again.",
  );
  form.querySelector("output").replaceChildren(...[words].flat());
  button.disabled = false;
});
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-runs]")) {
    prepareRun(form).catch(() => { form.querySelector("output").textContent = "Airflow can't be reached: reload the page."; });
  }
});
