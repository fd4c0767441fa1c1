// The properties of a field's configuration that Grafana's panels know, with the values that stand for those a dashboard leaves
// out. Grafana registers them with its editors, which are not published; here a property is only its place and its default.

import { FieldConfigOptionsRegistry, identityOverrideProcessor } from "@grafana/data";

/// Of every panel. A dashboard that names another property names it in vain, so that is an error.
const STANDARD = ["unit", "min", "max", "decimals", "displayName", "noValue", "color", "thresholds", "mappings", "links", "description"];

/// Of Grafana's time series.
const CUSTOM = {
    drawStyle: "line",
    lineInterpolation: "linear",
    lineWidth: 1,
    lineStyle: { fill: "solid" },
    fillOpacity: 0,
    fillBelowTo: undefined,
    gradientMode: "none",
    barAlignment: 0,
    barWidthFactor: 0.6,
    showPoints: "auto",
    pointSize: 5,
    spanNulls: false,
    insertNulls: false,
    stacking: { mode: "none", group: "A" },
    thresholdsStyle: { mode: "off" },
    hideFrom: { legend: false, tooltip: false, viz: false },
    scaleDistribution: { type: "linear" },
    axisPlacement: "auto",
    axisLabel: "",
    axisColorMode: "text",
    axisBorderShow: false,
    axisCenteredZero: false,
    axisSoftMin: undefined,
    axisSoftMax: undefined,
    axisGridShow: undefined,
};

const item = (path, isCustom) => ({
    id: path,
    path,
    name: path,
    isCustom,
    process: identityOverrideProcessor,
    shouldApply: () => true,
});

export function registry() {
    const custom = Object.keys(CUSTOM).map((path) => item(path, true));
    const registered = new FieldConfigOptionsRegistry(() => STANDARD.map((path) => item(path, false)));
    for (const property of custom) registered.register({ ...property, id: `custom.${property.id}` });
    return registered;
}

/// With Grafana's defaults where the dashboard has none, and an error for a property that Grafana does not know.
export function complete(fieldConfig, type) {
    const known = registry();
    for (const { matcher, properties } of fieldConfig.overrides) {
        for (const { id } of properties) {
            if (!known.getIfExists(id)) throw new Error(`"${matcher.options}" has the property ${id}, which Grafana does not know`);
        }
    }
    if (type !== "timeseries") return fieldConfig;
    const { custom, ...defaults } = fieldConfig.defaults;
    for (const key of Object.keys(custom)) {
        if (!(key in CUSTOM)) throw new Error(`custom.${key}, which Grafana does not know`);
    }
    return { ...fieldConfig, defaults: { ...defaults, custom: { ...CUSTOM, ...custom } } };
}
