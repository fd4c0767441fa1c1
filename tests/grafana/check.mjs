// check.mjs FOLDER FILE…: each FILE is a dashboard; FOLDER has node_modules. Ends with 1 if one is wrong, or if a dashboard
// that was made wrong on purpose is taken for right.

import fs from "node:fs";
import { VERSIONS, check, panelsOf } from "./types.mjs";
import { checker } from "./flux.mjs";

const [root, ...files] = process.argv.slice(2);
const dashboards = files.map((file) => JSON.parse(fs.readFileSync(file, "utf8")));
let wrong = 0;
const say = (words) => {
    wrong += 1;
    console.error(words);
};

const first = (dashboard, type) => panelsOf(dashboard).find((panel) => panel.type === type);
// Each breaks one thing that a person could break too.
const MUTATIONS = {
    "gridPos of text": (d) => (first(d, "timeseries").gridPos.x = "0"),
    "gridPos without a width": (d) => delete first(d, "timeseries").gridPos.w,
    "unknown key of the dashboard": (d) => (d.__inputs = []),
    "unknown key of a panel": (d) => (first(d, "timeseries").tilte = "x"),
    "unknown key of a row": (d) => (d.panels.find((panel) => panel.type === "row").folded = true),
    "panel of an unknown type": (d) => (first(d, "timeseries").type = "time-series"),
    "unknown option of a panel": (d) => (first(d, "state-timeline").options.mergeValue = true),
    "option of another type": (d) => (first(d, "xychart").options.series = {}),
    "word that is no member of its enum": (d) => (first(d, "xychart").options.mapping = "by hand"),
    "custom key of another kind of panel": (d) => (first(d, "state-timeline").fieldConfig.defaults.custom.drawStyle = "line"),
    "custom value that is no member of its enum": (d) => (first(d, "timeseries").fieldConfig.defaults.custom.drawStyle = "dots"),
    "custom key on a panel that has none": (d) => (first(d, "stat").fieldConfig.defaults.custom = { lineWidth: 1 }),
    "unknown property of an override": (d) => (first(d, "timeseries").fieldConfig.overrides[0].properties[0].id = "custom.colour"),
    "wrong value of an override": (d) => first(d, "timeseries").fieldConfig.overrides[0].properties.push({ id: "custom.spanNulls", value: "yes" }),
    "colour mode that is none": (d) => (first(d, "stat").fieldConfig.defaults.color = { mode: "traffic light" }),
    "threshold without a colour": (d) => (first(d, "stat").fieldConfig.defaults.thresholds = { mode: "absolute", steps: [{ value: 1 }] }),
    "variable of an unknown type": (d) => (d.templating.list[0].type = "data source"),
    "link of an unknown type": (d) => (d.links[0].type = "url"),
    "schemaVersion of text": (d) => (d.schemaVersion = "41"),
    "time without an end": (d) => delete d.time.to,
};
const model = dashboards.find((dashboard) => first(dashboard, "xychart") && first(dashboard, "state-timeline"));
if (!model) throw new Error("no dashboard with every kind of panel among the files");
const broken = Object.values(MUTATIONS).map((breakIt) => {
    const copy = structuredClone(model);
    // What else there is has been checked whole; a few panels are enough to break.
    copy.panels = [...new Map(panelsOf(copy).map((panel) => [panel.type, panel])).values()];
    copy.panels.push({ ...model.panels.find((panel) => panel.type === "row"), panels: [] });
    breakIt(copy);
    return copy;
});

for (const version of Object.keys(VERSIONS)) {
    const results = check([...dashboards, ...broken], root, version);
    files.forEach((file, place) => {
        for (const words of results[place].slice(0, 20)) say(`${file}, ${version}: ${words}`);
    });
    Object.keys(MUTATIONS).forEach((name, place) => {
        if (results[files.length + place].length === 0) say(`not found by the check of ${version}: ${name}`);
    });
}

const isFlux = checker(root);
let queries = 0;
let model_query = "";
for (const [place, dashboard] of dashboards.entries()) {
    const texts = panelsOf(dashboard).flatMap((panel) => (panel.targets ?? []).map((target) => [panel.title, target.query]));
    const flux = texts.filter(([, text]) => text?.includes("|> range("));
    const variables = (dashboard.templating?.list ?? []).filter((variable) => variable.query?.includes?.("schema.tagValues"));
    for (const [title, text] of [...flux, ...variables.map((variable) => [variable.name, variable.query])]) {
        queries += 1;
        model_query = text.includes("aggregateWindow") ? text : model_query;
        if (!isFlux(text)) say(`${files[place]}: "${title}" is no Flux:\n${text}`);
    }
}
const BREAKS = {
    "a bracket too few": (text) => text.replace(")", ""),
    "a function that is none": (text) => text.replace("aggregateWindow", "aggregateWindows"),
    "an argument that is none": (text) => text.replace("createEmpty", "createempty"),
    "a string that does not end": (text) => text.replace('"', ""),
    "an argument of another type": (text) => text.replace(/every: [^,]+/, 'every: "1m"'),
};
if (!model_query) throw new Error("no query of Flux among the files");
for (const [name, breakIt] of Object.entries(BREAKS)) {
    if (isFlux(breakIt(model_query))) say(`not found by the check of Flux: ${name}`);
}
if (wrong === 0) {
    console.log(
        `${files.length} dashboards hold against the types of ${Object.keys(VERSIONS).join(", ")}, ${queries} queries are Flux, ` +
            `${Object.keys(MUTATIONS).length} wrong dashboards and ${Object.keys(BREAKS).length} wrong queries were found out`,
    );
}
process.exit(wrong === 0 ? 0 : 1);
