// AWS SDK for JavaScript v3 against a null sink: four requests of 500 records at a time; prints CPU microseconds
// per record.
//
//     node peer_v3.mjs ENDPOINT SECONDS
//
// HTTP/1.1 instead of its default, HTTP/2, which the sink does not speak. The events are made beforehand.

import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const RECORDS = 500, CONNECTIONS = 4;
const [endpoint, seconds] = [process.argv[2], Number(process.argv[3])];
const version = createRequire(import.meta.url)("@aws-sdk/client-kinesis/package.json").version;

const event = (i) => Buffer.from(JSON.stringify({
    id: randomBytes(16).toString("hex"), time: "2026-01-01T00:00:00.000Z", user: `user-${i}`, text: "x".repeat(110),
}));
const Records = Array.from({ length: RECORDS }, (_, i) => ({
    Data: event(i), PartitionKey: randomBytes(8).toString("hex"),
}));

const client = new KinesisClient({ endpoint, region: "us-east-1", requestHandler: new NodeHttpHandler() });

async function send(until) {
    let sent = 0;
    while (performance.now() < until) {
        const answer = await client.send(new PutRecordsCommand({ StreamName: "null", Records }));
        if (answer.FailedRecordCount !== 0 || answer.Records.length !== RECORDS) throw new Error("a wrong answer");
        sent += RECORDS;
    }
    return sent;
}

await send(performance.now() + 300);
const before = process.cpuUsage(), until = performance.now() + seconds * 1000;
const sent = (await Promise.all(Array.from({ length: CONNECTIONS }, () => send(until)))).reduce((a, b) => a + b);
const { user, system } = process.cpuUsage(before);
console.log(`${((user + system) / sent).toFixed(2)}\tAWS SDK for JavaScript ${version}, Node.js ${process.versions.node}`);
process.exit(0);
