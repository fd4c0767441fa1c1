// A dashboard against the types that Grafana publishes (npm @grafana/schema): written out as a literal, an unknown key, a
// wrong type and a word that is no member of its enum are each an error of the compiler.
//
// Dashboard says nothing of what is inside `options`, `custom` and the properties of overrides, so each is checked by itself,
// against the type of its kind of panel. Queries are text to Grafana; other checks read those.

import fs from "node:fs";
import path from "node:path";
import ts from "typescript";

/** Kinds of panel, each with the beginning of its file's name in packages of Grafana 11. */
const KINDS = {
    timeseries: "TimeSeries",
    "state-timeline": "StateTimeline",
    xychart: "XYChart",
    stat: "Stat",
    bargauge: "BarGauge",
    table: "Table",
    text: "Text",
};

/** The package of each version, and where the types of a kind of panel are in it. */
export const VERSIONS = {
    "Grafana 11.6": { root: "grafana-schema-11/dist/esm", file: (kind) => `${KINDS[kind]}PanelCfg_types.gen` },
    "Grafana 12": { root: "grafana-schema-12/dist/types", file: () => "types.gen" },
    "Grafana 13": { root: "@grafana/schema/dist/types", file: () => "types.gen" },
};

// Enums of TypeScript take no plain word. This gives each its words back, and leaves everything else as it is.
const HEAD = `
import type { Dashboard, RowPanel, Panel, FieldConfig } from "SCHEMA/index";
type Plain<T> = T extends string ? \`\${T}\`
    : T extends number | boolean | bigint | null | undefined ? T
    : T extends Array<infer U> ? Array<Plain<U>>
    : T extends object ? { [K in keyof T]: Plain<T[K]> }
    : T;
`;

function literal(value) {
    return JSON.stringify(value, null, 1);
}

/** Every panel that is no row, those in rows among them. */
export function panelsOf(dashboard) {
    return dashboard.panels.flatMap((panel) => (panel.type === "row" ? panel.panels : [panel]));
}

function source(dashboard, modules, version) {
    const { panels, ...frame } = dashboard;
    const schema = path.join(modules, version.root);
    const lines = [HEAD.replaceAll("SCHEMA", schema)];
    for (const kind of Object.keys(KINDS)) {
        const name = kind.replace("-", "");
        lines.push(`import type * as ${name} from "${schema}/raw/composable/${name}/panelcfg/x/${version.file(kind)}";`);
    }
    // A union of rows and panels would let a key of one pass in the other, so each is named.
    lines.push(`export const frame: Plain<Omit<Dashboard, "panels">> = ${literal(frame)};`);
    let number = 0;
    const each = (type, value) => lines.push(`export const v${(number += 1)}: ${type} = ${literal(value)};`);
    for (const row of panels.filter((panel) => panel.type === "row")) {
        const { panels: _inside, ...head } = row;
        each(`Plain<Omit<RowPanel, "panels">>`, head);
    }
    for (const panel of panelsOf(dashboard)) {
        const kind = panel.type.replace("-", "");
        if (!(panel.type in KINDS)) {
            lines.push(`export const v${(number += 1)}: never = ${literal(`no panel of Grafana: ${panel.type}`)};`);
            continue;
        }
        const { options, fieldConfig, ...rest } = panel;
        each("Plain<Omit<Panel, 'options' | 'fieldConfig'>>", rest);
        each(`Plain<${kind}.Options>`, options);
        if (!fieldConfig) continue;
        const own = ["stat", "bargauge", "text"].includes(kind) ? "Record<string, never>" : `Partial<Plain<${kind}.FieldConfig>>`;
        const { custom, ...defaults } = fieldConfig.defaults;
        each(`Plain<Omit<FieldConfig, "custom">>`, defaults);
        if (custom) each(own, custom);
        const { overrides, defaults: _defaults, ...beside } = fieldConfig;
        each("Record<string, never>", beside);
        for (const { matcher, properties, ...unknown } of overrides) {
            each("Record<string, never>", unknown);
            each("{ id: 'byName'; options: string }", matcher);
            for (const { id, value, ...more } of properties) {
                each("Record<string, never>", more);
                if (id.startsWith("custom.")) each(own, { [id.slice(7)]: value });
                else each(`Plain<Omit<FieldConfig, "custom">>`, { [id]: value });
            }
        }
    }
    return lines.join("\n");
}

/** What the compiler finds wrong by the types of a version, a list of lists, one a dashboard. */
export function check(dashboards, root, version) {
    const modules = path.join(root, "node_modules");
    const files = dashboards.map((dashboard, place) => {
        const file = path.join(root, `dashboard-${place}.ts`);
        fs.writeFileSync(file, source(dashboard, modules, VERSIONS[version]));
        return file;
    });
    const program = ts.createProgram(files, {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        exactOptionalPropertyTypes: false,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        target: ts.ScriptTarget.ES2022,
        types: [],
    });
    const found = new Map(files.map((file) => [path.resolve(file), []]));
    for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
        const words = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
        const at = diagnostic.file && found.get(path.resolve(diagnostic.file.fileName));
        if (!at) throw new Error(`the check itself: ${diagnostic.file?.fileName ?? ""} ${words}`);
        const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
        at.push(`${words} | ${diagnostic.file.text.split("\n")[line].trim()}`);
    }
    return [...found.values()];
}
