// As much of WebDriver as this needs.

import { spawn } from "node:child_process";
import readline from "node:readline";

const PATIENCE_MS = 120_000;

export class Browser {
    static async start(driver, chromium, profile) {
        const browser = new Browser();
        browser.process = spawn(driver, ["--port=0"], { stdio: ["ignore", "pipe", "ignore"] });
        const port = await new Promise((resolve, reject) => {
            readline.createInterface({ input: browser.process.stdout }).on("line", (line) => {
                const said = line.match(/started successfully on port (\d+)/);
                if (said) resolve(said[1]);
            });
            browser.process.on("error", reject);
            browser.process.on("exit", (code) => reject(new Error(`${driver} ended with ${code}`)));
        });
        browser.root = `http://127.0.0.1:${port}/session`;
        const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
        args.push("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", `--user-data-dir=${profile}`);
        const wanted = { "goog:chromeOptions": { binary: chromium, args }, timeouts: { script: PATIENCE_MS } };
        const { sessionId } = await browser.ask("POST", "", { capabilities: { alwaysMatch: wanted } });
        browser.root += `/${sessionId}`;
        return browser;
    }

    async ask(method, where, body) {
        const signal = AbortSignal.timeout(PATIENCE_MS);
        const answer = await fetch(this.root + where, { method, body: body && JSON.stringify(body), signal });
        const { value } = await answer.json();
        if (value?.error) throw new Error(`${where}: ${value.error}: ${value.message}`);
        return value;
    }

    open(url) {
        return this.ask("POST", "/url", { url });
    }

    run(script, ...args) {
        return this.ask("POST", "/execute/sync", { script, args });
    }

    /// The size of the window's inside.
    size(width, height) {
        const params = { width, height, deviceScaleFactor: 1, mobile: false };
        return this.ask("POST", "/goog/cdp/execute", { cmd: "Emulation.setDeviceMetricsOverride", params });
    }

    /// A part of the page as PNG.
    async picture(selector) {
        const element = await this.ask("POST", "/element", { using: "css selector", value: selector });
        const [id] = Object.values(element);
        return Buffer.from(await this.ask("GET", `/element/${id}/screenshot`), "base64");
    }

    async stop() {
        await this.ask("DELETE", "").catch(() => null);
        this.process.kill();
    }
}
