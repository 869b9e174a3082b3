import HubModel
import HubStore

/// From the inbound topic to the canonical topic with all that mediation keeps, beside the store's own speed.
struct MediationBench {
    let size: BenchSize

    func rows() throws -> [BenchRow] {
        BenchProgress.tell("mediation: \(size.customers) customers")
        var options = BenchHub.Options()
        options.delivers = false
        let bench = try BenchHub(options)
        defer { bench.close() }
        try bench.create(size.customers, delivers: false)
        var rates: [Double] = []
        var statements: [Double] = []
        var baselines: [Double] = []
        for run in 0..<size.runs {
            BenchProgress.tell("mediation, run \(run + 1): baseline")
            baselines.append(try StoreBaseline.eventsPerSecond(size.storeEvents, of: size.customers))
            BenchProgress.tell("mediation, run \(run + 1)")
            let (rate, perEvent) = try measure(bench)
            rates.append(rate)
            statements.append(perEvent)
        }
        return [
            BenchRow(
                name: "store baseline",
                what: "three point reads and three upserts of 600-byte documents per event, GRDB's cached statements, "
                    + "batches of 500, synchronous=FULL, one thread, no hub", values: baselines, unit: "events/s"),
            BenchRow(
                name: "mediation",
                what: "updates of \(size.customers) known customers, each changing one field: read from the embedded bus, "
                    + "decoded, worked into heard state, golden record, outbox and offsets, committed, published to the canonical topic; "
                    + "no delivery; the bus, its producer and the hub share the machine; baseline: the store's", values: rates,
                unit: "events/s", baselines: baselines, ratioTarget: .atLeast(0.7)),
            BenchRow(
                name: "mediation, statements", what: "statements that the store ran per event", values: statements, unit: "per event"),
        ]
    }

    func measure(_ bench: BenchHub) throws -> (perSecond: Double, statements: Double) {
        let records = try bench.events(size.storeEvents, of: size.customers)
        let before = try bench.mediated()
        let statementsBefore = bench.statementCount
        try bench.send(records)
        var seen = 0
        try bench.wait("the first event", step: 0.002) {
            seen = try bench.mediated() - before
            return seen > 0
        }
        let start = ContinuousClock.now
        try bench.wait("\(records.count) events", step: 0.02) { try bench.mediated() - before >= records.count }
        try bench.wait("the outbox", step: 0.002) { try bench.isOutboxEmpty() }
        let elapsed = ContinuousClock.now - start
        let statements = bench.statementCount - statementsBefore
        return (Double(records.count - seen) / elapsed.inSeconds, Double(statements) / Double(records.count))
    }
}
