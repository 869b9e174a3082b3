import HubModel
import ReferenceApplication
import ReferenceCRM
import ReferenceERP

/// What people last saw in both applications' lists; it may be out of date, and then a rule tells them so.
struct Picture: Sendable {
    var accounts: [NativeKey] = []
    var accountNames: [NativeKey: String] = [:]
    var heldAccounts: [NativeKey] = []
    var limitedAccounts: [NativeKey] = []
    /// Accounts without deals.
    var idleAccounts: [NativeKey] = []
    var items: [NativeKey] = []
    var opportunities: [NativeKey] = []
    var quotes: [NativeKey] = []
    var accepted: [NativeKey] = []
    var partners: [NativeKey] = []
    var partnersByName: [String: NativeKey] = [:]
    /// Partners without orders, of whom the CRM's people have no deals either.
    var idlePartners: [NativeKey] = []
    /// Items and articles by code.
    var itemsByCode: [String: NativeKey] = [:]
    var articles: [(key: NativeKey, code: String)] = []
    /// Orders by status.
    var orders: [String: [NativeKey]] = [:]
    var unpaid: [NativeKey] = []
    private(set) var size = 0

    init() {}

    init(_ scenario: Scenario) throws {
        var busy: Set<String> = []
        for deal in try scenario.crm.file.documents(native: "deal") {
            switch deal.fields["stage"]?.text {
            case "opportunity": opportunities.append(deal.key)
            case "quote": quotes.append(deal.key)
            case "accepted": accepted.append(deal.key)
            default: break
            }
            if let account = deal.fields["account"]?.text { busy.insert(account) }
            size += 1
        }
        for account in try scenario.crm.file.documents(native: "account") {
            accounts.append(account.key)
            accountNames[account.key] = account.fields["name"]?.text ?? ""
            if account.fields["on_hold"] == true { heldAccounts.append(account.key) }
            if let limit = account.fields["credit_limit"]?.units(scale: 2), limit > 0, limit < 1_000_000 {
                limitedAccounts.append(account.key)
            }
            if !busy.contains(account.key.rawValue) { idleAccounts.append(account.key) }
            size += 1
        }
        for item in try scenario.crm.file.documents(native: "item") {
            itemsByCode[item.fields["code"]?.text ?? ""] = item.key
            if item.fields["saleable"] == true { items.append(item.key) }
            size += 1
        }
        var used: Set<String> = []
        let sold = Set(accounts.filter { busy.contains($0.rawValue) }.compactMap { accountNames[$0] })
        for order in try scenario.erp.file.documents(native: "sales_order") {
            orders[order.fields["status"]?.text ?? "", default: []].append(order.key)
            if let partner = order.fields["partner"]?.text { used.insert(partner) }
            size += 1
        }
        for partner in try scenario.erp.file.documents(native: "partner") {
            partners.append(partner.key)
            partnersByName[partner.fields["name"]?.text ?? ""] = partner.key
            let isKnown = sold.contains(partner.fields["name"]?.text ?? "")
            if !used.contains(partner.key.rawValue) && !isKnown { idlePartners.append(partner.key) }
            size += 1
        }
        articles = try scenario.erp.file.documents(native: "article").map { ($0.key, $0.fields["code"]?.text ?? "") }
        unpaid = try scenario.erp.file.documents(native: "invoice").filter { $0.fields["status"] != "paid" }.map(\.key)
        size += articles.count + unpaid.count
    }

    /// Moves an order from one list to another.
    mutating func move(_ order: NativeKey, from old: String, to new: String?) {
        orders[old]?.removeAll { $0 == order }
        if let new { orders[new, default: []].append(order) }
    }
}
