import Foundation
import HubConfiguration
import HubModel
import HubRuntime
import HubStore

/// The demonstration on Odoo and Tryton: people act in one application and look at the other, with a hub between the two.
///
/// People use the applications' own interfaces; nothing here tells the hub anything.
struct RealDemo {
    let odoo: OdooPerson
    let tryton: TrytonPerson
    let hosted: HostedHub
    let say: @Sendable (String) -> Void
    /// Tells this run's documents from those of earlier ones.
    let run: String
    private(set) var report = RealDemoReport()

    // What earlier steps made and later ones need.
    var company: Company?
    var product: Product?
    var deadline = ContinuousClock.now
    private var stepBegan = ContinuousClock.now

    /// A company of this run, in both applications.
    struct Company: Sendable {
        var name: String
        var partner: Int64
        var party: Int64
    }

    /// A product of this run, in both applications.
    struct Product: Sendable {
        var template: Int64
        var variant: Int64
        var price: Number
    }

    private static let pause = Duration.milliseconds(200)

    static func run(_ configuration: Configuration, say: @escaping @Sendable (String) -> Void) async throws -> RealDemoReport {
        guard let odooSettings = configuration.application("odoo")?.settings,
            let trytonSettings = configuration.application("tryton")?.settings
        else { throw CommandFailure(.wrong, "\(configuration.file): the demonstration needs the applications odoo and tryton") }
        let odoo = try OdooPerson(odooSettings)
        let tryton = try await TrytonPerson(trytonSettings)
        let result: Result<RealDemoReport, any Error>
        do {
            result = .success(try await perform(configuration, odoo, tryton, say))
        } catch {
            result = .failure(error)
        }
        await odoo.close()
        await tryton.close()
        return try result.get()
    }

    private static func perform(
        _ configuration: Configuration, _ odoo: OdooPerson, _ tryton: TrytonPerson, _ say: @escaping @Sendable (String) -> Void
    ) async throws -> RealDemoReport {
        let start = ContinuousClock.now
        try await odoo.setUp()
        let used = try await odoo.lastGeneration()
        if used > 0 { say("the applications have been used with a hub before: ids begin with generation \(used + 1)") }
        let hosted = try await HostedHub.start(configuration, prepare: CanonicalGeneration.raise(past: used))
        say("hub \(configuration.hub) runs with \(configuration.applications.map(\.id.rawValue).joined(separator: " and "))")
        let run = String(Int(Date().timeIntervalSince1970), radix: 36)
        var demo = RealDemo(odoo: odoo, tryton: tryton, hosted: hosted, say: say, run: run)
        await demo.performSteps()
        demo.report.summary = (try? await demo.summary()) ?? HubSummary()
        demo.report.elapsed = ContinuousClock.now - start
        await hosted.stop()
        return demo.report
    }

    private mutating func performSteps() async {
        await step("a company made in Odoo appears in Tryton", within: .seconds(60)) { try await $0.makeCompany() }
        await step("a price changed in Tryton appears in Odoo", within: .seconds(60)) { try await $0.changePrice() }
        await step("an accepted quotation becomes a sale, is shipped in two parts, invoiced and paid", within: .seconds(120)) {
            try await $0.sell()
        }
        await step("an order over the credit limit is refused, and Odoo says why", within: .seconds(60)) { try await $0.exceedCredit() }
        await step("the same customer is edited on both sides at once", within: .seconds(60)) { try await $0.editOnBothSides() }
    }

    func summary() async throws -> HubSummary {
        let (store, configuration) = (hosted.store, hosted.configuration)
        return try await Blocking.run { () throws(StoreError) in try store.write { try HubSummary($0, configuration) } }
    }

    // MARK: Steps

    private mutating func step(_ title: String, within limit: Duration, _ body: (inout RealDemo) async throws -> Void) async {
        say("")
        say("\(report.steps.count + 1). \(title)")
        let start = ContinuousClock.now
        stepBegan = start
        deadline = start + limit
        var failure: String?
        do {
            try await body(&self)
        } catch {
            failure = "\(error)"
            say("   FAILED: \(error)")
            for line in (try? await summary())?.lines ?? [] { say("     \(line)") }
        }
        report.steps.append(.init(title: title, took: ContinuousClock.now - start, failure: failure))
    }

    /// A line of what was done or seen, with the step's time.
    func note(_ text: String) {
        let time = (ContinuousClock.now - stepBegan).tenths
        say(String(repeating: " ", count: max(0, 9 - time.count)) + time + "  " + text)
    }

    /// Looks until there is something to see, or the step's time is over.
    ///
    /// - Parameters:
    ///   - what: what is waited for, in words, for the failure.
    ///   - look: what is there now, for the failure as well, and whether that is it.
    func wait<T>(for what: String, _ look: () async throws -> (found: T?, now: String)) async throws -> T {
        var seen = "nothing yet"
        while true {
            if let failure = hosted.hub.failed { throw PersonFailure("the hub has failed: \(failure)") }
            let (found, now) = try await look()
            if let found { return found }
            seen = now
            guard ContinuousClock.now < deadline else { throw PersonFailure("no \(what) within the step's time; there is: \(seen)") }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Waits until these members of a document in Odoo say so.
    @discardableResult
    func odoo(_ model: String, _ id: Int64, shows wanted: Fields) async throws -> Fields {
        try await wait(for: "\(model) \(id) with \(Self.text(wanted)) in Odoo") {
            let now = try await odoo.read(model, id, wanted.names)
            return (wanted.allSatisfy { now[$0.name] == $0.value } ? now : nil, Self.text(now))
        }
    }

    static func text(_ fields: Fields) -> String {
        fields.filter { $0.name != "id" }.map { "\($0.name) \($0.value.shown)" }
            .joined(separator: ", ")
    }
}
