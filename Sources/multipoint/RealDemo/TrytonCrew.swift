import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubScenario
import HubSimulation
import HubTestKit
import ReferenceApplication
import ReferenceCRM

/// The reference CRM's people, with others beside them who use Tryton instead of the reference ERP.
struct TrytonCrew: DemoCrew {
    private var people: People
    private var random: SeededRandom
    private var own = People.Tally()
    private let scenario: Scenario
    private let tryton: TrytonPerson
    private let proxy: TCPProxy
    /// Tells this run's documents from those of earlier ones.
    private let run: String
    private var count = 0
    private var refusedInARow = 0
    private static let mostRefused = 10

    let calm = Duration.seconds(3)
    let patience = 6
    let afterwork = Duration.seconds(90)

    /// What happens how often; without holds, open confirmations and stock, which are other things in Tryton.
    private static let weights: [(People.Act, weight: Int)] = [
        (.newCompany, 9), (.newPartner, 3), (.newDeal, 16), (.quote, 14), (.accept, 14),
        (.changeOrder, 3), (.editInCRM, 9), (.editInERP, 6),
        (.editOnBothSides, 5), (.changePrice, 4), (.changeCredit, 2), (.ship, 9), (.invoice, 6),
        (.pay, 4), (.deleteInCRM, 1),
        (.beyondCredit, 2),
    ]
    private static let theirs: Set<People.Act> = [
        .newPartner, .editInERP, .editOnBothSides, .changePrice, .changeCredit, .ship, .invoice, .pay,
    ]
    /// Products, and as many customers, that Tryton has from the start.
    private static let seeded = 8

    init(_ scenario: Scenario, _ swap: TrytonSwap, _ tryton: TrytonPerson, run: String, seed: UInt64) {
        self.scenario = scenario
        self.tryton = tryton
        self.run = run
        proxy = swap.proxy
        people = People(scenario, seed: seed, crowd: "C\(run)-")
        random = SeededRandom(seed: seed)
    }

    var tally: People.Tally {
        var tally = people.tally
        tally.done.merge(own.done, uniquingKeysWith: +)
        tally.refused.merge(own.refused, uniquingKeysWith: +)
        return tally
    }

    func begin() async throws {
        for (_, name, days) in TrytonSwap.terms { try await tryton.needTerms(name, days: days) }
        for (code, name) in [("GB", "United Kingdom"), ("DK", "Denmark")] {
            try await tryton.needCountry(code, name)
        }
    }

    func seed(events: Int, seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        for number in 0..<Self.seeded {
            let price = Number(Int64(100 + random.below(50_000)), scale: 2)
            _ = try await tryton.newProduct(
                "ART-\(run)-\(number)", Words.product(&random, number), price: price, stock: 100_000)
            let limit: Int64 = number % 4 == 0 ? 500 : 50_000_000
            let party = try await tryton.newParty(Words.company(&random, "E\(run)-\(number)"))
            try await tryton.setContact(party, "email", Words.email(&random))
            try await tryton.grant(party, limit: Number(limit), terms: random.pick(TrytonSwap.terms).name)
        }
    }

    func setOutage(_ isOut: Bool) async throws { try await proxy.arm(isOut ? .refused : .none) }

    func documents(_ configuration: Configuration) async throws -> [ApplicationID: [String:
        [NativeDocument]]]
    {
        guard let erp = configuration.application(Scenario.erpID),
            let driver = erp.driver as? any Paging
        else { return [:] }
        var result: [String: [NativeDocument]] = [:]
        for native in Set(erp.mappings.map(\.native)) {
            var cursor: String?
            repeat {
                let page = try await driver.page(native: native, company: nil, after: cursor, limit: 200)
                result[native, default: []] += page.documents
                cursor = page.next
            } while cursor != nil
        }
        return [erp.id: result]
    }

    func close() async { await tryton.close() }

    // MARK: Acts

    mutating func act() async throws {
        while true {
            let act = random.draw(Self.weights) ?? .newCompany
            if Self.theirs.contains(act) {
                guard try await didCarryOut(act) else { continue }
                return
            }
            if try await people.perform(act) != .nothingToDo { return }
        }
    }

    /// As below; what Tryton refuses to its people is counted, and no more than that as long as it takes other things.
    private mutating func didCarryOut(_ act: People.Act) async throws -> Bool {
        do {
            guard try await carryOut(act) else { return false }
            own.done[act, default: 0] += 1
            refusedInARow = 0
        } catch let failure as PersonFailure {
            own.refused[failure.description, default: 0] += 1
            refusedInARow += 1
            if refusedInARow > Self.mostRefused { throw failure }
        }
        return true
    }

    /// False where there is nothing to do this to.
    private mutating func carryOut(_ act: People.Act) async throws -> Bool {
        switch act {
        case .newPartner:
            count += 1
            let party = try await tryton.newParty(Words.company(&random, "T\(run)-\(count)"))
            try await tryton.grant(party, limit: 50_000_000, terms: random.pick(TrytonSwap.terms).name)
        case .editInERP:
            guard let party = try await party() else { return false }
            try await edit(party)
        case .editOnBothSides:
            let accounts = try scenario.crm.file.documents(native: "account")
            guard !accounts.isEmpty, case let account = random.pick(accounts),
                let name = account.fields["name"],
                let party = try await tryton.find("party.party", [["name", "=", name]], ["id"]).first?[
                    "id"]?.integer
            else { return false }
            try await scenario.crm.editAccount(account.key, ["phone": .string(Words.phone(&random))])
            try await edit(party)
        case .changePrice:
            let templates = try await tryton.find(
                "product.template", [["products.code", "like", .string("ART-\(run)-%")]], ["id"])
            guard !templates.isEmpty, let template = random.pick(templates)["id"]?.integer else {
                return false
            }
            let price = Number(Int64(100 + random.below(50_000)), scale: 2)
            try await tryton.edit(
                "product.template", template, ["list_price": TrytonPerson.decimal(price)])
        case .changeCredit:
            guard let party = try await party() else { return false }
            let limit = Number(Int64(1 + random.below(9)) * 10_000_000)
            try await tryton.edit(
                "party.party", party, ["credit_limit_amount": TrytonPerson.decimal(limit)])
        default: return try await fulfil(act)
        }
        return true
    }

    private mutating func fulfil(_ act: People.Act) async throws -> Bool {
        switch act {
        case .ship:
            guard
                let sale = try await sale([["shipment_state", "in", ["waiting", "partially shipped"]]])
            else { return false }
            _ = try await tryton.ship(sale, only: random.below(3) == 0 ? 1 : nil)
        case .invoice:
            guard let sale = try await sale([["invoice_state", "=", "pending"]]) else { return false }
            _ = try await tryton.invoice(sale)
        default:
            let posted = try await tryton.find(
                "account.invoice", [["state", "=", "posted"], ["type", "=", "out"]], ["id"])
            guard !posted.isEmpty, let invoice = random.pick(posted)["id"]?.integer else { return false }
            try await tryton.pay(invoice)
        }
        return true
    }

    private mutating func sale(_ domain: [Value]) async throws -> Int64? {
        let found = try await tryton.find("sale.sale", domain + [["state", "=", "processing"]], ["id"])
        return found.isEmpty ? nil : random.pick(found)["id"]?.integer
    }

    /// A customer of this run, made on either side.
    private mutating func party() async throws -> Int64? {
        let found = try await tryton.find(
            "party.party", [["name", "like", .string("%\(run)-%")]], ["id"])
        return found.isEmpty ? nil : random.pick(found)["id"]?.integer
    }

    private mutating func edit(_ party: Int64) async throws {
        if random.below(2) == 0 {
            try await tryton.setContact(party, "phone", Words.phone(&random))
        } else {
            try await tryton.setContact(party, "email", Words.email(&random))
        }
    }
}
