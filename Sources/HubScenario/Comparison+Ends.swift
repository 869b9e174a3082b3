import HubCodec
import HubConfiguration
import HubModel
import HubRules
import HubStore

extension ComparisonRun {
    /// Waits that do not end by themselves.
    static let lasting: Set<TargetState.Wait.Reason> = [.reference, .approval, .ambiguous, .dead]

    /// Every accepted quote is one order in the ERP, or refused with the reason in the deal, or waits with a reason.
    mutating func countQuotes() throws {
        let native = plan.binding(Scenario.erpID, "order")?.mapping.native ?? "sales_order"
        for (key, deal) in documents[Scenario.crmID]?["deal"] ?? [:] where deal.fields["stage"] == "accepted" {
            let reference = NativeReference(Scenario.crmID, .shared, "order", key)
            result.quotes.accepted += 1
            guard let id = try store.link(reference) else {
                if try store.isWaiting(reference) { result.quotes.waiting += 1 } else { problem("deal \(key) is unknown to the hub") }
                continue
            }
            let state = try store.target(plan.target(Scenario.erpID, "order", .shared, id))
            let orders = documents[Scenario.erpID]?[native]?.values.filter { $0.reference == id } ?? []
            let linked = state.key.flatMap { documents[Scenario.erpID]?[native]?[$0] }
            if orders.count > 1 {
                problem("deal \(key) (\(id)) is \(orders.count) orders")
            } else if linked != nil {
                result.quotes.ordered += 1
            } else if let rejected = state.rejected {
                result.quotes.refused += 1
                // An order that the ERP's people deleted is "refused" by being gone; the deal shows its last status.
                if rejected.rejection.rule != "deleted",
                    deal.fields["order_status"] != "refused" || deal.fields["refusal"]?.text?.isEmpty != false
                {
                    problem("deal \(key) (\(id)) was refused (\(rejected.rejection)), and does not show it")
                }
            } else if let wait = state.wait, Self.lasting.contains(wait.reason) {
                result.quotes.waiting += 1
            } else {
                problem("deal \(key) (\(id)) is neither an order nor refused")
            }
        }
    }

    /// Every record of an inbound topic has one end, or waits.
    mutating func countEvents(_ records: [String: Int]) throws {
        var waiting: [String: Int] = [:]
        var after: Int64 = 0
        while true {
            let page = try store.waitingEvents(after: after, limit: 1000)
            for event in page { waiting[event.record.topic, default: 0] += 1 }
            guard let last = page.last, page.count == 1000 else { break }
            after = last.sequence
        }
        var ends: [String: [EventEnd: Int]] = [:]
        for (topic, end, count) in try store.eventEnds() { ends[topic, default: [:]][end] = count }
        for topic in Set(configuration.applications.flatMap(\.inboundTopics)).sorted() {
            let inbound = Comparison.Inbound(
                topic: topic, records: records[topic] ?? 0, ends: ends[topic] ?? [:], waiting: waiting[topic] ?? 0)
            if !inbound.addsUp {
                problem("\(topic): \(inbound.records) records, but \(inbound.ended) ends and \(inbound.waiting) waiting")
            }
            result.inbound.append(inbound)
        }
    }

    /// Every version that passed has one end per application.
    mutating func countDeliveries() throws {
        let counts = try store.outcomeCounts()
        for application in configuration.applications.map(\.id) {
            var outbound = Comparison.Outbound(application: application, versions: versions[application] ?? 0, outcomes: [:], waiting: [:])
            outbound.outcomes = Dictionary(
                counts.filter { $0.application == application }.map { ($0.kind, $0.count) }, uniquingKeysWith: +)
            for row in try store.waiting(application, Set(TargetState.Wait.Reason.allCases), until: nil, limit: .max) {
                guard let reason = row.state.wait?.reason else { continue }
                outbound.waiting[reason, default: 0] += 1
            }
            if outbound.ended != outbound.versions {
                problem("\(application): \(outbound.versions) versions have passed, but \(outbound.ended) outcomes were told")
            }
            result.outbound.append(outbound)
        }
    }

    mutating func collectLists() throws {
        var after: Int64 = 0
        while true {
            let page = try store.conflicts(after: after, limit: 1000)
            for conflict in page { result.conflicts[conflict.rule, default: 0] += 1 }
            guard let last = page.last, page.count == 1000 else { break }
            after = last.id
        }
        result.alarms = try store.alarms(after: 0, limit: 10_000)
        result.deadLetters = try store.deadLetters(after: 0, limit: 10_000, includeReplayed: true)
        result.golden = try store.goldenCounts()
        for letter in result.deadLetters where letter.target != nil {
            problem("a delivery is dead: \(letter.target?.description ?? "") \(letter.code): \(letter.reason)")
        }
        for alarm in result.alarms where alarm.code == "second-document" || alarm.code == "ambiguous" {
            problem("alarm \(alarm.code): \(alarm.document?.rawValue ?? "") \(alarm.text)")
        }
    }
}
