// Flux as Grafana sends it, and answers as the data frames that Grafana's InfluxDB data source makes of them: a table of an
// answer with a column `_value` is a time series, another one keeps its columns by their names.

import { parse } from "./csv.mjs";

/// As Grafana fills in macros and variables.
export function interpolated(text, view) {
    const time = (ms) => new Date(ms).toISOString();
    const values = { station: JSON.stringify(view.station), bucket: JSON.stringify(view.bucket), step: "v.windowPeriod" };
    return text
        .replace(/\$\{(station|bucket|step)(?::\w+)?\}/g, (_, name) => values[name])
        .replaceAll("v.timeRangeStart", time(view.from))
        .replaceAll("v.timeRangeStop", time(view.to))
        .replaceAll("v.windowPeriod", `${view.windowMs}ms`);
}

const TYPES = {
    double: ["number", Number],
    long: ["number", Number],
    unsignedLong: ["number", Number],
    string: ["string", String],
    boolean: ["boolean", (text) => text === "true"],
    "dateTime:RFC3339": ["time", Date.parse],
    "dateTime:RFC3339Nano": ["time", Date.parse],
};

/// The tables of an annotated answer: columns with type, name and values.
function tables(csv) {
    const found = [];
    let types = [];
    let defaults = [];
    let columns = null;
    for (const cells of parse(csv)) {
        if (cells[0] === "#datatype") {
            types = cells;
            columns = null;
        } else if (cells[0] === "#default") {
            defaults = cells;
        } else if (cells[0].startsWith("#") || cells.length < 2) {
            continue;
        } else if (columns === null) {
            columns = cells;
            if (columns.includes("error")) throw new Error(`the answer holds an error: ${csv.slice(-400)}`);
        } else {
            const value = (name) => cells[columns.indexOf(name)] || defaults[columns.indexOf(name)];
            const key = `${value("result")} ${value("table")} ${columns.join()}`;
            let table = found.find((known) => known.key === key);
            if (!table) {
                const named = columns.map((name, place) => ({ name, place, values: [], type: types[place] }));
                table = { key, columns: named.filter(({ name }) => !["", "result", "table"].includes(name)) };
                found.push(table);
            }
            for (const column of table.columns) {
                const [, read] = TYPES[column.type] ?? [];
                if (!read) throw new Error(`a column of the type ${column.type}: ${column.name}`);
                const text = cells[column.place];
                column.values.push(text === "" && column.type !== "string" ? null : read(text));
            }
        }
    }
    return found;
}

export function frames(csv, refId) {
    return tables(csv).map(({ columns }) => {
        const field = ({ name, type, values }) => ({ name, type: TYPES[type][0], values, config: {} });
        const value = columns.find(({ name }) => name === "_value");
        const time = columns.find(({ type }) => TYPES[type][0] === "time");
        if (!value || !time) return { refId, fields: columns.map(field) };
        const series = columns.find(({ name }) => name === "_field");
        return { refId, fields: [{ ...field(time), name: "Time" }, { ...field(value), name: series?.values[0] ?? "" }] };
    });
}
