// Queries in Flux against InfluxData's own parser and type checker (npm @influxdata/flux-lsp-node, its Rust compiled to wasm).

import { createRequire } from "node:module";
import path from "node:path";

const VALUES = {
    station: { raw: "US-UMB", doublequote: '"US-UMB"' },
    bucket: { raw: "fluxtower", doublequote: '"fluxtower"' },
    step: { raw: "v.windowPeriod" },
    dollar: { raw: "$" },
    bracket: { raw: "[" },
};

/** As Grafana replaces the dashboard's variables. What it does not know stays. */
export function interpolated(text) {
    return text.replace(/\$\{(\w+)(?::(\w+))?\}|\$(\w+)|\[\[(\w+)\]\]/g, (whole, name, format, plain, old) => {
        const value = VALUES[name ?? plain ?? old];
        return value ? (value[format ?? "raw"] ?? value.raw) : whole;
    });
}

export function checker(root) {
    const { Flux } = createRequire(path.join(root, "package.json"))("@influxdata/flux-lsp-node");
    // Grafana declares this record; without it the type checker knows no `v`. Imports come first in a file of Flux.
    const option = "option v = {timeRangeStart: -1h, timeRangeStop: now(), windowPeriod: 1m}\n";
    return (text) => {
        const query = interpolated(text);
        const imports = query.match(/^(import "[^"]*"\n)*/)[0];
        return new Flux(imports + option + query.slice(imports.length)).is_valid();
    };
}
