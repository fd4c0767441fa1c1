// In the browser: panels of a dashboard drawn by Grafana's published components, from frames and with the panel's own
// configuration. `draw` draws one and returns what it holds, for checks.

// The font that Grafana has: room for the labels of an axis is measured in it.
import "@fontsource/inter/latin-400.css";
import "@fontsource/inter/latin-500.css";
import React from "react";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { FieldType, ThemeContext, applyFieldOverrides, createTheme, dateTime, getDisplayProcessor, getDisplayValueAlignmentFactors, getFieldDisplayName, getFieldDisplayValues } from "@grafana/data";
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries, VizRepeater } from "@grafana/ui";
import { complete, registry } from "./registry.mjs";

const PATIENCE_MS = 10_000;

/// What Grafana's panels do with numbers before they draw them: a number that is none becomes no value, each series has its
/// place in the palette.
function graphable(frames, theme) {
    let series = 0;
    for (const field of frames.flatMap((frame) => frame.fields).filter((field) => field.type === FieldType.number)) {
        field.values = field.values.map((value) => (Number.isFinite(value) ? value : null));
        field.state = { ...field.state, seriesIndex: series };
        field.display = getDisplayProcessor({ field, theme });
        series += 1;
    }
    return frames;
}

const chart = ({ panel, frames, range, timeZone, theme, plots }) => ({ width, height }) => (
    <TimeSeries
        frames={graphable(frames, theme)}
        timeRange={range}
        timeZone={timeZone}
        width={width}
        height={height}
        legend={panel.options.legend}
        options={panel.options}
    >
        {(builder) => {
            builder.addHook("ready", (plot) => plots.push(plot));
            return null;
        }}
    </TimeSeries>
);

const repeated = ({ panel, frames, range, timeZone, theme, fieldConfig, values }, one) => ({ width, height }) => (
    <VizRepeater
        getValues={() => {
            const options = panel.options;
            const found = getFieldDisplayValues({
                fieldConfig,
                reduceOptions: options.reduceOptions,
                replaceVariables: (text) => text,
                theme,
                data: frames,
                sparkline: (options.graphMode ?? "none") !== "none",
                timeZone,
            });
            values.splice(0, values.length, ...found.map(({ display }) => ({ title: display.title, text: [display.prefix, display.text, display.suffix].filter(Boolean).join(""), color: display.color })));
            return found;
        }}
        getAlignmentFactors={getDisplayValueAlignmentFactors}
        renderValue={one}
        width={width}
        height={height}
        source={frames}
        renderCounter={0}
        autoGrid={true}
        orientation={panel.options.orientation}
    />
);

const tiles = (drawn) =>
    repeated(drawn, ({ value, alignmentFactors, width, height, count }) => {
        const { colorMode, graphMode, justifyMode, textMode, wideLayout } = drawn.panel.options;
        const { from, to } = drawn.range;
        const sparkline = value.sparkline && { ...value.sparkline, timeRange: { from, to } };
        return (
            <BigValue
                value={value.display}
                count={count}
                sparkline={sparkline}
                colorMode={colorMode}
                graphMode={graphMode}
                justifyMode={justifyMode}
                textMode={textMode}
                wideLayout={wideLayout}
                alignmentFactors={alignmentFactors}
                width={width}
                height={height}
                theme={drawn.theme}
            />
        );
    });

const gauges = (drawn) =>
    repeated(drawn, ({ value, alignmentFactors, width, height, orientation }) => {
        const { displayMode, valueMode, namePlacement, showUnfilled } = drawn.panel.options;
        return (
            <BarGauge
                value={value.display}
                field={value.field}
                display={value.view?.getFieldDisplayProcessor(value.colIndex)}
                text={drawn.panel.options.text}
                width={width}
                height={height}
                orientation={orientation}
                theme={drawn.theme}
                itemSpacing={8}
                alignmentFactors={alignmentFactors}
                displayMode={displayMode}
                valueDisplayMode={valueMode}
                namePlacement={namePlacement}
                showUnfilled={showUnfilled}
            />
        );
    });

const KINDS = { timeseries: chart, stat: tiles, bargauge: gauges };

/// Of a time series: of each series its name, how many values it has, their range, and the ends of its axis.
function seen(plot, frames) {
    const fields = frames.flatMap((frame) => frame.fields.filter((field) => field.type === FieldType.number));
    return plot.series.slice(1).map(({ scale }, place) => {
        const values = plot.data[place + 1].filter((value) => value != null);
        return {
            name: fields[place] && getFieldDisplayName(fields[place]),
            values: values.length,
            range: [Math.min(...values), Math.max(...values)],
            ends: [plot.scales[scale].min, plot.scales[scale].max],
        };
    });
}

/// A frame as main.mjs had it before it was JSON.
function received({ fields, refId }) {
    const number = (value) => (value === "NaN" ? NaN : value);
    const read = (field) => (field.type === FieldType.number ? { ...field, values: field.values.map(number) } : field);
    return { refId, fields: fields.map(read), length: fields[0].values.length };
}

window.draw = async ({ panel, frames, view, timeZone, mode, width, height }) => {
    await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 12px Inter`)));
    const theme = createTheme({ colors: { mode } });
    const fieldConfig = complete(panel.fieldConfig, panel.type);
    const [from, to] = [dateTime(view.from), dateTime(view.to)];
    const data = applyFieldOverrides({
        data: frames.map(received),
        fieldConfig,
        fieldConfigRegistry: registry(),
        replaceVariables: (text) => text,
        theme,
        timeZone,
    });
    const drawn = { panel, frames: data, range: { from, to, raw: { from, to } }, timeZone, theme, fieldConfig, plots: [], values: [] };
    const place = document.body.appendChild(document.createElement("div"));
    place.id = "panel";
    place.style.cssText = `width: ${width}px; height: ${height}px`;
    const Inside = KINDS[panel.type](drawn);
    flushSync(() =>
        createRoot(place).render(
            <ThemeContext.Provider value={theme}>
                <GlobalStyles />
                <PanelChrome title={panel.title} width={width} height={height}>
                    {(innerWidth, innerHeight) => <Inside width={innerWidth} height={innerHeight} />}
                </PanelChrome>
            </ThemeContext.Provider>,
        ),
    );
    // A chart is drawn a moment later than its element.
    const began = performance.now();
    while (panel.type === "timeseries" && drawn.plots.length === 0) {
        if (performance.now() - began > PATIENCE_MS) throw new Error("no chart was drawn");
        await new Promise(requestAnimationFrame);
    }
    return { series: drawn.plots.flatMap((plot) => seen(plot, data)), values: drawn.values };
};
