// A client library as an agent, in its default settings, driven line by line.
//
//     node agent.js LIBRARY PORT AGENT TOKEN
//
// Each line of stdin is a JSON array: a command, or ["@subscribe", channel] on a connection
// of its own. For each one line of JSON comes back: {"ok": answer} or {"error": text}; a
// message heard is {"message": text}.
"use strict";

const [library, port, agent, token] = process.argv.slice(2);
const say = (o) => process.stdout.write(JSON.stringify(o) + "\n");

async function nodeRedis() {
  const { createClient } = require(library);
  const options = { url: `redis://127.0.0.1:${port}`, username: agent, password: token };
  const make = async (client) => {
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const client = await make(createClient(options));
  let listener = null;
  return {
    send: (words) => client.sendCommand(words.map(String)),
    subscribe: async (channel) => {
      if (!listener) listener = await make(client.duplicate());
      await listener.subscribe(channel, (text) => say({ message: text }));
    },
  };
}

async function ioredis() {
  const Redis = require(library).default;
  const make = () => {
    const client = new Redis({ port: Number(port), username: agent, password: token });
    client.on("error", () => {});
    return client;
  };
  const client = make();
  let listener = null;
  return {
    send: (words) => client.call(...words.map(String)),
    subscribe: async (channel) => {
      if (!listener) {
        listener = make();
        listener.on("message", (_channel, text) => say({ message: text }));
      }
      await listener.subscribe(channel);
    },
  };
}

async function main() {
  const client = await (library.startsWith("ioredis") ? ioredis() : nodeRedis());
  const lines = require("readline").createInterface({ input: process.stdin });
  say({ ok: "connected" });
  for await (const line of lines) {
    const words = JSON.parse(line);
    try {
      if (words[0] === "@subscribe") await client.subscribe(words[1]);
      const answer = words[0] === "@subscribe" ? "subscribed" : await client.send(words);
      say({ ok: answer === undefined ? null : answer });
    } catch (e) {
      say({ error: e.message });
    }
  }
  process.exit(0);
}

main().catch((e) => {
  say({ error: e.message });
  process.exit(1);
});
