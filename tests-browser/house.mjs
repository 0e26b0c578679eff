// A demo district of its own for one journey (演示区): made, served, stopped, forgotten.
//
// Guarantees: own data folder, own port, own database, a fixed day; stopped also when the journey fails.
// Deliberately absent: knowledge of what is in the district. The program makes it, with a fixed seed.

import { spawn, execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The day it is in every journey: a Monday, so that working days are easy to count. */
export const TODAY = "2026-06-01";

export class House {
  static async start({ program, engine, postgres, people, folder }) {
    const house = new House();
    house.data = mkdtempSync(join(tmpdir(), "huimin-journey-"));
    house.log = join(folder, "server.log");
    const port = await freePort();
    house.base = `http://127.0.0.1:${port}`;
    const words = ["--log", "warn", "demo", "--fresh", "--people", people, "--today", TODAY, "--listen", `127.0.0.1:${port}`, "--base-url", house.base, "--requests-a-minute", "100000", "--data", house.data];
    if (engine === "postgres") {
      house.admin = postgres;
      house.database = `journey_${port}`;
      psql(postgres, `create database ${house.database}`);
      const url = new URL(postgres);
      url.pathname = `/${house.database}`;
      words.push("--database", url.href);
    }
    house.child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(house.log);
    house.said = "";
    house.child.stdout.on("data", (bytes) => (house.said += bytes));
    // What it says of itself is known; what it complains of is worth keeping.
    house.child.stderr.pipe(log, { end: false });
    house.child.on("exit", (code, signal) => (house.ended = { code, signal }));
    try {
      await house.ready();
    } catch (error) {
      const words = house.lastWords();
      await house.stop();
      throw new Error(`${error.message}\n${words}`);
    }
    return house;
  }

  /** A demo somebody else has started and will stop. */
  static running(base) {
    return Object.assign(new House(), { base, data: mkdtempSync(join(tmpdir(), "huimin-journey-")) });
  }

  async ready() {
    for (let tries = 0; tries < 600; tries++) {
      if (this.ended) throw new Error(`the program ended with ${JSON.stringify(this.ended)}`);
      const answer = await fetch(`${this.base}/health`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error("the program did not answer within five minutes");
  }

  lastWords() {
    try {
      return readFileSync(this.log, "utf8").split("\n").slice(-40).join("\n");
    } catch {
      return "";
    }
  }

  async stop() {
    if (this.child && !this.ended) {
      const ended = new Promise((resolve) => this.child.on("exit", resolve));
      this.child.kill("SIGTERM");
      const patience = setTimeout(() => this.child.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(patience);
    }
    if (this.database) psql(this.admin, `drop database if exists ${this.database} with (force)`);
    rmSync(this.data, { recursive: true, force: true });
  }
}

function psql(url, sql) {
  execFileSync("psql", ["--quiet", "--no-psqlrc", "--dbname", url, "--command", sql], { stdio: ["ignore", "ignore", "pipe"] });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
