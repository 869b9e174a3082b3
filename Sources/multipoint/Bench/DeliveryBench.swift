import Foundation
import HubConfiguration
import HubModel
import HubStore

/// Canonical records to an application that does nothing, write log and outcomes included, beside the store's own speed.
struct DeliveryBench {
    let size: BenchSize

    func rows() throws -> [BenchRow] {
        var baselines: [Double] = []
        for run in 0..<size.runs {
            BenchProgress.tell("delivery, baseline \(run + 1)")
            baselines.append(try StoreBaseline.eventsPerSecond(size.storeEvents, of: size.customers))
        }
        let (conditional, statements) = try measure(hasToken: true)
        let (reading, moreStatements) = try measure(hasToken: false)
        return [
            BenchRow(
                name: "delivery",
                what: "one update of each of \(size.customers) customers, waiting in the canonical topic, to a driver that "
                    + "answers at once: write stored before the call, answer, write log and outcome after it, outcome published; writes "
                    + "conditional on a token; from the first call to the last outcome; baseline: the store's", values: conditional,
                unit: "deliveries/s", baselines: baselines, ratioTarget: .atLeast(0.7)),
            BenchRow(name: "delivery, statements", what: "statements per delivery", values: statements, unit: "per delivery"),
            BenchRow(
                name: "delivery without tokens", what: "the same where the hub has to read each document before it writes", values: reading,
                unit: "deliveries/s", baselines: baselines),
            BenchRow(
                name: "delivery without tokens, statements", what: "statements per delivery", values: moreStatements, unit: "per delivery"),
        ]
    }

    private func measure(hasToken: Bool) throws -> (perSecond: [Double], statements: [Double]) {
        BenchProgress.tell("delivery: \(size.customers) customers")
        var options = BenchHub.Options()
        options.hasToken = hasToken
        let bench = try BenchHub(options)
        defer { bench.close() }
        try bench.create(size.customers, delivers: true)
        var rates: [Double] = []
        var statements: [Double] = []
        var versions = size.customers
        for run in 0..<size.runs {
            BenchProgress.tell("delivery \(hasToken ? "" : "without tokens "), run \(run + 1)")
            try bench.request(.pause("erp"))
            try bench.request(.pause("crm"))
            let before = try bench.mediated()
            try bench.send(try bench.events(size.customers, of: size.customers))
            try bench.wait("mediation") { try bench.mediated() >= before + size.customers && bench.isOutboxEmpty() }
            bench.driver.holdFeed(true)
            bench.driver.restart()
            versions += size.customers
            let statementsBefore = bench.statementCount
            let resume = OperatorRequest(.resume("erp"))
            try bench.configuration.requests.submit(resume)
            try bench.wait("delivery", step: 0.01) { try bench.delivered("erp") >= versions && bench.isOutboxEmpty() }
            let end = ContinuousClock.now
            guard let start = bench.driver.firstCall else { throw BenchFailure("no delivery") }
            rates.append(Double(size.customers) / (end - start).inSeconds)
            statements.append(Double(bench.statementCount - statementsBefore) / Double(size.customers))
            bench.driver.holdFeed(false)
            try bench.request(.resume("crm"))
            try bench.settle(versions: versions)
        }
        return (rates, statements)
    }
}
