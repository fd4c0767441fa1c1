// InfluxQL as Grafana sends it, and answers as its data source makes frames of them: one for each column of values, with the
// column's name (the dashboard asks for that by the alias `$col`).

/// As Grafana fills in macros and variables.
export function interpolated(text, view) {
    return text
        .replaceAll("$timeFilter", `time >= ${view.from}ms and time <= ${view.to}ms`)
        .replaceAll("${station:singlequote}", `'${view.station}'`)
        .replaceAll("${__from}", view.from)
        .replaceAll("${__to}", view.to)
        .replaceAll("${dollar:raw}", "$")
        .replaceAll("${bracket:raw}", "[")
        .replace(/\$step|\$__interval/g, `${view.windowMs}ms`);
}

export function frames({ series = [] }, refId) {
    return series.flatMap(({ columns, values }) =>
        columns.slice(1).map((name, place) => ({
            refId,
            fields: [
                { name: "Time", type: "time", values: values.map(([time]) => time), config: {} },
                { name, type: "number", values: values.map((row) => row[place + 1]), config: { displayNameFromDS: name } },
            ],
        })),
    );
}
