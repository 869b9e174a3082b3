import HubModel
import HubSimulation
import ReferenceApplication
import ReferenceCRM
import ReferenceERP

extension People {
    /// False where there is nothing to do this to.
    mutating func carryOut(_ act: Act) async throws -> Bool {
        let (erp, crm) = (scenario.erp, scenario.crm)
        switch act {
        case .newCompany:
            let name = Words.company(&random, "\(crowd)\(nextNumber())")
            let key = try await crm.createAccount(Words.account(&random, name: name))
            picture.accounts.append(key)
            picture.accountNames[key] = name
        case .newPartner:
            let name = Words.company(&random, "\(crowd)\(nextNumber())")
            picture.partners.append(try await erp.createPartner(Words.partner(&random, name: name)))
        case .newDeal:
            guard let account = draw(picture.accounts), let lines = lines() else { return false }
            picture.opportunities.append(try await crm.createDeal(deal(account, lines)))
        case .quote:
            guard let deal = take(\.opportunities) else { return false }
            try await crm.quote(deal)
            picture.quotes.append(deal)
        case .accept:
            guard let deal = take(\.quotes) else { return false }
            try await crm.accept(deal)
            picture.accepted.append(deal)
        case .changeOrder:
            guard let deal = draw(picture.accepted) else { return false }
            let reference: Fields = ["po_reference": .string("PO-\(crowd)\(nextNumber())")]
            // Other lines are refused once the order has been shipped.
            guard let lines = lines(), random.below(3) == 0 else {
                try await crm.editDeal(deal, reference)
                break
            }
            try await crm.editDeal(deal, reference.overlaid(with: ["lines": .array(lines)]))
        case .editInCRM:
            guard let account = draw(picture.accounts) else { return false }
            try await crm.editAccount(account, accountEdit())
        case .editInERP:
            guard let partner = draw(picture.partners) else { return false }
            try await erp.editPartner(partner, sharedEdit())
        case .editOnBothSides:
            guard let account = draw(picture.accounts), let name = picture.accountNames[account],
                let partner = picture.partnersByName[name]
            else { return false }
            try await crm.editAccount(account, sharedEdit())
            try await erp.editPartner(partner, sharedEdit())
        case .changePrice:
            guard let article = draw(picture.articles) else { return false }
            try await erp.changePrice(article.key, Number(Int64(100 + random.below(50_000)), scale: 2))
        case .hold:
            guard let partner = draw(picture.partners) else { return false }
            try await erp.setHold(partner, random.below(2) == 0)
        case .changeCredit:
            guard let partner = draw(picture.partners) else { return false }
            try await erp.editPartner(partner, ["credit_limit": .decimal(Int64(1 + random.below(9)) * 1_000_000_000, scale: 2)])
        case .confirm, .ship, .invoice, .pay, .cancel: return try await workflow(act)
        case .deleteInCRM:
            guard let account = take(\.idleAccounts) else { return false }
            try await crm.deleteAccount(account)
            picture.accounts.removeAll { $0 == account }
        case .deleteInERP:
            guard let partner = take(\.idlePartners) else { return false }
            try await erp.deletePartner(partner)
            picture.partners.removeAll { $0 == partner }
        case .deleteOrder:
            guard let order = draw(picture.orders["draft"] ?? []) else { return false }
            picture.move(order, from: "draft", to: nil)
            try await erp.delete("sales_order", order)
        case .beyondCredit, .forHeld, .unknownCode, .notSaleable, .tooLittleStock: return try await breakRule(act)
        }
        return true
    }

    // MARK: The ERP's workflow

    private mutating func workflow(_ act: Act) async throws -> Bool {
        let erp = scenario.erp
        switch act {
        case .confirm:
            guard let order = draw(picture.orders["draft"] ?? []) else { return false }
            picture.move(order, from: "draft", to: "confirmed")
            try await erp.confirm(order)
        case .ship:
            // What has been shipped in part is shipped wholly the next time.
            if let order = draw(picture.orders["partly_shipped"] ?? []), random.below(2) == 0 {
                picture.move(order, from: "partly_shipped", to: "shipped")
                try await erp.ship(order)
            } else if let order = draw(picture.orders["confirmed"] ?? []) {
                let isPartial = random.below(3) == 0
                picture.move(order, from: "confirmed", to: isPartial ? "partly_shipped" : "shipped")
                try await erp.ship(order, isPartial ? ["1": 1] : nil)
            } else {
                return false
            }
        case .invoice:
            guard let order = draw(picture.orders["shipped"] ?? []) else { return false }
            picture.move(order, from: "shipped", to: "invoiced")
            picture.unpaid.append(try await erp.invoice(order))
        case .pay:
            guard let invoice = take(\.unpaid) else { return false }
            try await erp.pay(invoice)
        default:
            guard let order = draw(picture.orders["draft"] ?? []) else { return false }
            picture.move(order, from: "draft", to: "cancelled")
            try await erp.cancel(order)
        }
        return true
    }

    // MARK: Orders that break rules

    private mutating func breakRule(_ act: Act) async throws -> Bool {
        let crm = scenario.crm
        var account = draw(picture.accounts)
        var changes = Fields()
        var lines = lines()
        switch act {
        case .beyondCredit:
            account = draw(picture.limitedAccounts)
            lines = self.lines(quantity: 900, price: 1_000_000)
        case .forHeld: account = draw(picture.heldAccounts)
        case .unknownCode: changes["sales_person"] = "ZOE"
        case .tooLittleStock: lines = self.lines(quantity: 90_000_000, price: 1)
        default:
            // Taken off sale in the ERP at the same moment as the quote is accepted in the CRM, which cannot know it yet.
            let shy = picture.articles.suffix(max(1, picture.articles.count / Scenario.shyPart))
            guard let article = draw(Array(shy)), let item = picture.itemsByCode[article.code], let account else { return false }
            guard picture.items.contains(item) else { return false }
            picture.items.removeAll { $0 == item }
            let opened = try await crm.createDeal(deal(account, [line(1, item, quantity: 1, price: nil)]))
            try await scenario.erp.editArticle(article.key, ["saleable": false])
            try await crm.accept(opened)
            return true
        }
        guard let account, let lines else { return false }
        let opened = try await crm.createDeal(deal(account, lines).overlaid(with: changes))
        try await crm.accept(opened)
        return true
    }

    // MARK: What is typed in

    private mutating func draw<T>(_ list: [T]) -> T? { list.isEmpty ? nil : random.pick(list) }

    private mutating func take(_ list: WritableKeyPath<Picture, [NativeKey]>) -> NativeKey? {
        guard !picture[keyPath: list].isEmpty else { return nil }
        return picture[keyPath: list].remove(at: random.below(picture[keyPath: list].count))
    }

    private mutating func deal(_ account: NativeKey, _ lines: [Value]) -> Fields {
        [
            "account": .string(account.rawValue), "lines": .array(lines), "po_reference": .string("PO-\(crowd)\(nextNumber())"),
            "sales_person": .string(random.pick(["ANNA", "BORIS", "CHLOE"])),
            "shipping_method": .string(random.pick(["ROAD", "AIR", "PICKUP"])),
        ]
    }

    /// One to three lines; nil while the CRM has no items.
    private mutating func lines(quantity: Int64? = nil, price: Int64? = nil) -> [Value]? {
        guard !picture.items.isEmpty else { return nil }
        return (1...(1 + random.below(3))).map { number in
            line(number, random.pick(picture.items), quantity: quantity ?? Int64(1 + random.below(20)), price: price)
        }
    }

    private func line(_ number: Int, _ item: NativeKey, quantity: Int64, price: Int64?) -> Value {
        [
            "id": .string("\(number)"), "item": .string(item.rawValue), "quantity": .decimal(quantity * 1000, scale: 3),
            "unit_price": price.map { .decimal($0, scale: 4) } ?? .null,
        ]
    }

    /// Members that both applications have.
    private mutating func sharedEdit() -> Fields {
        switch random.below(4) {
        case 0: ["email": .string(Words.email(&random))]
        case 1: ["phone": .string(Words.phone(&random))]
        case 2: ["street": .string(Words.street(&random))]
        default: ["phone": .string(Words.phone(&random)), "email": .string(Words.email(&random))]
        }
    }

    private mutating func accountEdit() -> Fields {
        random.below(3) == 0 ? ["segment": .string(random.pick(["A", "B", "C"]))] : sharedEdit()
    }
}
