// The Node.js original's way against a null sink: AWS SDK for JavaScript v2, one putRecords of 500 messages after the
// other, each message a UUID and a date made for it; four at a time. Prints CPU microseconds per record.
//
//     node peer_v2.mjs ENDPOINT SECONDS

import { randomBytes, randomUUID } from "node:crypto";
import http from "node:http";
import AWS from "aws-sdk";

const RECORDS = 500, CONNECTIONS = 4;
const [endpoint, seconds] = [process.argv[2], Number(process.argv[3])];
const agent = new http.Agent({ keepAlive: true });
const client = new AWS.Kinesis({ endpoint, region: "us-east-1", httpOptions: { agent } });

const record = () => ({
    Data: JSON.stringify({ message: randomUUID(), date: new Date() }), PartitionKey: randomBytes(8).toString("hex"),
});

async function send(until) {
    let sent = 0;
    while (performance.now() < until) {
        const Records = Array.from({ length: RECORDS }, record);
        const answer = await client.putRecords({ StreamName: "null", Records }).promise();
        if (answer.FailedRecordCount !== 0 || answer.Records.length !== RECORDS) throw new Error("a wrong answer");
        sent += RECORDS;
    }
    return sent;
}

await send(performance.now() + 300);
const before = process.cpuUsage(), until = performance.now() + seconds * 1000;
const sent = (await Promise.all(Array.from({ length: CONNECTIONS }, () => send(until)))).reduce((a, b) => a + b);
const { user, system } = process.cpuUsage(before);
console.log(`${((user + system) / sent).toFixed(2)}\tAWS SDK for JavaScript ${AWS.VERSION}, the original's way, Node.js ${process.versions.node}`);
process.exit(0);
