// main.mjs WORK PROGRAM INFLUXD CHROMIUM CHROMEDRIVER FOLDER [--all] [--dark] [--influxql]: see `draw`, which prepares WORK.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { Browser } from "./browser.mjs";
import { BUCKET, Influxd1, Influxd2, TOKEN } from "./servers.mjs";
import { STATION, config, files } from "./station.mjs";

const { rangeUtil, dateTime } = createRequire(import.meta.url)("@grafana/data");

/// The pictures of docs/images, by the titles of their panels.
const PICTURES = {
    "Air temperature by height": "grafana-lines",
    "Wind direction": "grafana-direction",
    Precipitation: "grafana-rain",
    "Age of the newest record": "grafana-ages",
    "CO2 and vertical wind speed over time, 46 m": "grafana-co2-uz",
};
/// Each breaks the panel of directions in a way that must be found.
const MUTATIONS = {
    "failed values beyond the end of their axis": (panel) => (panel.fieldConfig.defaults.max = 360),
    "a property that is none": (panel) => (panel.fieldConfig.overrides[0].properties[0].id = "custom.colour"),
    "a series without properties": (panel) => panel.fieldConfig.overrides.shift(),
};
/// Kinds of panel whose components Grafana publishes.
const DRAWN = ["timeseries", "stat", "bargauge"];
/// The time shown: windows are five minutes wide then, so that lines have bands.
const SHOWN_MS = 2 * 86_400_000;
/// Around a panel, so that no scroll bar hides its edge.
const MARGIN_PX = 24;
/// A column of Grafana's grid, of which a window has 24, and a row of it.
const GRID_PX = { column: 52, row: 38 };

const [work, program, influxdProgram, chromium, chromedriver, folder, ...options] = process.argv.slice(2);
for (const option of options) {
    if (!["--all", "--dark", "--influxql"].includes(option)) throw new Error(`no option: ${option}`);
}

const panelsOf = (dashboard) => dashboard.panels.flatMap((panel) => (panel.type === "row" ? panel.panels : [panel]));
const sizeOf = ({ gridPos }) => ({ width: gridPos.w * GRID_PX.column, height: gridPos.h * GRID_PX.row });
const plain = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/// The dashboard of a station whose rows are in the server.
function dashboardOf(influxd, station) {
    fs.mkdirSync(station);
    fs.writeFileSync(path.join(station, "config.toml"), config(influxd.destination));
    for (const [name, text] of Object.entries(files(Date.now() / 1_000))) fs.writeFileSync(path.join(station, name), text);
    const env = { ...process.env, FLUXTOWER_PICTURES_TOKEN: TOKEN };
    const run = (...words) => {
        try {
            return execFileSync(program, ["--quiet", ...words], { cwd: station, env, encoding: "utf8", maxBuffer: 1e9 });
        } catch (error) {
            // 1 is a finding, here that a table is late.
            if (error.status === 1) return error.stdout;
            throw error;
        }
    };
    run("run");
    // What a sync reports is how the one before left it.
    run("sync");
    return JSON.parse(run("dashboard", "--grafana"));
}

async function answers(influxd, panel, view) {
    const range = { from: dateTime(view.from), to: dateTime(view.to) };
    const points = panel.maxDataPoints ?? sizeOf(panel).width;
    const { intervalMs } = rangeUtil.calculateInterval(range, points, panel.interval);
    const found = [];
    for (const target of panel.targets) found.push(...(await influxd.frames(target, { ...view, windowMs: intervalMs })));
    return found;
}

/// JSON knows no number that is none.
function sendable(frame) {
    const fields = frame.fields.map((field) => ({ ...field, values: field.values.map((value) => (Number.isNaN(value) ? "NaN" : value)) }));
    return { ...frame, fields };
}

/// What is wrong with a panel, as far as a program can see it.
function faults(panel, { series, values }) {
    const wrong = [];
    if (series.length + values.length === 0) wrong.push("nothing was drawn");
    const names = panel.fieldConfig.overrides.map(({ matcher }) => matcher.options);
    for (const { name, values, range, ends } of series) {
        if (names.length > 0 && !names.includes(name)) wrong.push(`the series "${name}" has no properties of its own`);
        const isDrawn = values === 0 || (ends[0] <= range[0] && range[1] <= ends[1]);
        if (!isDrawn) wrong.push(`the series "${name}" holds ${range.join(" to ")}, its axis ${ends.join(" to ")}`);
    }
    return wrong.map((text) => `"${panel.title}": ${text}`);
}

async function bundle() {
    await build({
        entryPoints: [path.join(work, "page.jsx")],
        outfile: path.join(work, "page.js"),
        bundle: true,
        jsx: "automatic",
        logLevel: "error",
        define: { "process.env.NODE_ENV": '"production"', global: "window" },
        loader: { ".svg": "dataurl", ".png": "dataurl", ".woff": "dataurl", ".woff2": "dataurl", ".ttf": "empty" },
    });
    const page = path.join(work, "page.html");
    fs.writeFileSync(page, '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css"><body><script src="page.js"></script>');
    return page;
}

async function pictures(influxd, browser) {
    const dashboard = dashboardOf(influxd, path.join(work, "station"));
    const panels = panelsOf(dashboard).filter(({ type, title }) => DRAWN.includes(type) && (options.includes("--all") || title in PICTURES));
    const missing = Object.keys(PICTURES).filter((title) => !panels.some((panel) => panel.title === title));
    if (missing.length > 0) throw new Error(`no panel has the title: ${missing.join(", ")}`);
    const page = await bundle();
    const to = Date.now();
    const view = { from: to - SHOWN_MS, to, station: STATION, bucket: BUCKET };
    const mode = options.includes("--dark") ? "dark" : "light";
    const draw = async (panel, frames) => {
        const drawn = { panel, view, mode, timeZone: dashboard.timezone, frames: frames.map(sendable), ...sizeOf(panel) };
        await browser.open(`file://${page}`);
        await browser.size(drawn.width + 2 * MARGIN_PX, drawn.height + 2 * MARGIN_PX);
        return faults(panel, await browser.run("return window.draw(arguments[0])", drawn));
    };
    const wrong = [];
    for (const panel of panels) {
        wrong.push(...(await draw(panel, await answers(influxd, panel, view))));
        fs.writeFileSync(path.join(folder, `${PICTURES[panel.title] ?? plain(panel.title)}.png`), await browser.picture("#panel"));
    }
    const direction = panels.find(({ title }) => title === "Wind direction");
    const frames = await answers(influxd, direction, view);
    for (const [name, breakIt] of Object.entries(MUTATIONS)) {
        const broken = structuredClone(direction);
        breakIt(broken);
        const found = await draw(broken, frames).catch((error) => [error.message]);
        if (found.length === 0) wrong.push(`not found: ${name}`);
    }
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    console.log(`${panels.length} panels were drawn into ${folder}`);
}

const Influxd = options.includes("--influxql") ? Influxd1 : Influxd2;
const influxd = await Influxd.start(influxdProgram, work);
try {
    const browser = await Browser.start(chromedriver, chromium, path.join(work, "profile"));
    try {
        await pictures(influxd, browser);
    } finally {
        await browser.stop();
    }
} finally {
    influxd.stop();
}
