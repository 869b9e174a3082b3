import Foundation
import HubModel
import HubSimulation
import ReferenceApplication
import ReferenceCRM
import ReferenceERP

/// People at work in both applications: seeded, one act at a time, each act one or two transactions through the applications' own rules.
///
/// What stands in the applications when an act is drawn depends on the hub's progress, so a seed gives the same intentions, not the same run.
package struct People: Sendable {
    /// What people do.
    package enum Act: String, Sendable, Hashable, CaseIterable {
        case newCompany, newPartner
        case newDeal, quote, accept, changeOrder
        case editInCRM, editInERP, editOnBothSides
        case changePrice, hold, changeCredit
        case confirm, ship, invoice, pay, cancel
        case deleteInCRM, deleteInERP, deleteOrder
        // Orders that break a rule of the ERP.
        case beyondCredit, forHeld, unknownCode, notSaleable, tooLittleStock
    }

    /// What has been done, and what the applications' rules refused to these people at once.
    package struct Tally: Sendable {
        package var done: [Act: Int] = [:]
        package var refused: [String: Int] = [:]

        package init() {}

        /// Acts that took place.
        package var total: Int { done.values.reduce(0, +) }
    }

    package private(set) var tally = Tally()
    let scenario: Scenario
    var random: SeededRandom
    var picture = Picture()
    /// Makes names unique among several crowds.
    let crowd: String
    private var count = 0
    private var untilLook = 0

    private static let weights: [(Act, weight: Int)] = [
        (.newCompany, 9), (.newPartner, 2), (.newDeal, 16), (.quote, 14), (.accept, 14), (.changeOrder, 4), (.editInCRM, 9),
        (.editInERP, 6),
        (.editOnBothSides, 5), (.changePrice, 3), (.hold, 1), (.changeCredit, 2), (.confirm, 9), (.ship, 8), (.invoice, 5), (.pay, 4),
        (.cancel, 1), (.deleteInCRM, 1), (.deleteInERP, 1), (.deleteOrder, 1), (.beyondCredit, 1), (.forHeld, 1), (.unknownCode, 1),
        (.notSaleable, 1),
        (.tooLittleStock, 1),
    ]

    /// - Parameter crowd: what names of companies made by these people end in; other people on the same scenario need another one.
    package init(_ scenario: Scenario, seed: UInt64, crowd: String = "C") {
        self.scenario = scenario
        self.crowd = crowd
        random = SeededRandom(seed: seed)
    }

    /// A new number of this crowd's.
    mutating func nextNumber() -> Int {
        count += 1
        return count
    }

    /// One act drawn at random, of those for which there is something to do.
    /// - Returns: what was done; nil where a rule of the application refused it.
    @discardableResult
    package mutating func act() async throws -> Act? {
        while true {
            let act = random.draw(Self.weights) ?? .newCompany
            switch try await perform(act) {
            case .done: return act
            case .refused: return nil
            case .nothingToDo: continue
            }
        }
    }

    package enum Performed: Sendable { case done, refused, nothingToDo }

    /// That act, on documents drawn at random.
    package mutating func perform(_ act: Act) async throws -> Performed {
        try lookIfDue()
        do {
            guard try await carryOut(act) else { return .nothingToDo }
            tally.done[act, default: 0] += 1
            return .done
        } catch let refused as Refused {
            tally.refused[refused.rule, default: 0] += 1
            return .refused
        }
    }

    /// Acts at a steady rate for that long; `every` is called after each act.
    package mutating func run(for duration: Duration, perSecond rate: Double, every: (Tally) async throws -> Bool = { _ in true })
        async throws
    {
        let start = ContinuousClock.now
        var number = 0.0
        while ContinuousClock.now - start < duration {
            try await act()
            number += 1
            guard try await every(tally) else { return }
            try await Task.sleep(until: start + .seconds(number / rate), clock: .continuous)
        }
    }

    /// Looks at both applications again, as people do who open a list.
    package mutating func look() throws {
        picture = try Picture(scenario)
        untilLook = max(50, picture.size / 4)
    }

    private mutating func lookIfDue() throws {
        untilLook -= 1
        if untilLook < 0 { try look() }
    }
}
