// InfluxDB 2.7 and InfluxDB 1.6 for the length of one run, on a port of their own with their data in a folder that goes away. Each
// answers a query of the dashboard in its language with data frames.

import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import * as flux from "./flux.mjs";
import * as influxql from "./influxql.mjs";

const ORG = "tower";
export const BUCKET = "ameriflux";
export const TOKEN = "right";
/// A slow machine that compiles something beside this still starts a server in this time.
const START_MS = 60_000;

async function freePort() {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

class Server {
    async run(program, options, folder) {
        const log = path.join(folder, "server.log");
        const stream = fs.openSync(log, "a");
        // It looks for a configuration where it is started.
        const env = { ...process.env, HOME: folder };
        delete env.INFLUXD_CONFIG_PATH;
        this.process = spawn(program, options, { cwd: folder, env, stdio: ["ignore", stream, stream] });
        const began = Date.now();
        while (!(await fetch(`${this.url}/ping`).catch(() => null))) {
            if (this.process.exitCode !== null || Date.now() - began > START_MS) {
                throw new Error(`${program} did not start: ${fs.readFileSync(log, "utf8")}`);
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    /// The text of a good answer.
    async ask(where, headers, body) {
        const answer = await fetch(this.url + where, { method: "POST", headers, body });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${where}: ${answer.status} ${text}\n${body}`);
        return text;
    }

    stop() {
        this.process.kill("SIGKILL");
    }
}

export class Influxd2 extends Server {
    static async start(program, folder) {
        const influxd = new Influxd2();
        const port = await freePort();
        influxd.url = `http://127.0.0.1:${port}`;
        const at = (name) => path.join(folder, name);
        const options = ["--bolt-path", at("influxd.bolt"), "--engine-path", at("engine"), "--sqlite-path", at("influxd.sqlite")];
        options.push("--reporting-disabled", "--log-level", "error", "--http-bind-address", `127.0.0.1:${port}`);
        await influxd.run(program, options, folder);
        const setup = { username: "admin", password: "eight or more", org: ORG, bucket: BUCKET, token: TOKEN, retentionPeriodSeconds: 0 };
        await influxd.ask("/api/v2/setup", { "Content-Type": "application/json" }, JSON.stringify(setup));
        return influxd;
    }

    get destination() {
        return `url = "${this.url}"\norg = "${ORG}"\nbucket = "${BUCKET}"\ntoken_env = "FLUXTOWER_PICTURES_TOKEN"`;
    }

    async frames({ query, refId }, view) {
        const headers = { Authorization: `Token ${TOKEN}`, "Content-Type": "application/json", Accept: "application/csv" };
        // The types of the columns are read from the annotations.
        const dialect = { annotations: ["datatype", "group", "default"], delimiter: ",", header: true };
        const body = { query: flux.interpolated(query, view), type: "flux", dialect };
        return flux.frames(await this.ask(`/api/v2/query?org=${ORG}`, headers, JSON.stringify(body)), refId);
    }
}

export class Influxd1 extends Server {
    static async start(program, folder) {
        const influxd = new Influxd1();
        const port = await freePort();
        influxd.url = `http://127.0.0.1:${port}`;
        const at = (name) => JSON.stringify(path.join(folder, name));
        const config = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = ${at("meta")}
[data]
dir = ${at("data")}
wal-dir = ${at("wal")}
[http]
bind-address = "127.0.0.1:${port}"
[monitor]
store-enabled = false
`;
        fs.writeFileSync(path.join(folder, "influxdb.conf"), config);
        await influxd.run(program, ["run", "-config", path.join(folder, "influxdb.conf")], folder);
        await influxd.influxql(`CREATE DATABASE ${BUCKET}`);
        return influxd;
    }

    get destination() {
        return `api = "v1"\nurl = "${this.url}"\nbucket = "${BUCKET}"`;
    }

    async influxql(text) {
        const answer = await this.ask(`/query?epoch=ms&db=${BUCKET}`, {}, new URLSearchParams({ q: text }));
        const [result] = JSON.parse(answer).results;
        if (result.error) throw new Error(`${result.error}: ${text}`);
        return result;
    }

    async frames({ query, refId }, view) {
        return influxql.frames(await this.influxql(influxql.interpolated(query, view)), refId);
    }
}
