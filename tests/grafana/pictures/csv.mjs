// Rows of CSV: cells may be quoted, and quoted ones may hold commas, line ends and doubled quotes.

export function parse(text) {
    const rows = [];
    let row = [];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
        row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
        if (end === ",") continue;
        rows.push(row);
        row = [];
    }
    return rows;
}
