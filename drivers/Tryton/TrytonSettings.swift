import HTTPApplication
import HubDriver
import HubModel

/// What a line of configuration says of a Tryton.
struct TrytonSettings: Sendable {
    enum Series: String, Sendable, CaseIterable {
        case v6 = "6.0"
        case v8 = "8.0"
    }

    /// What happens when Tryton warns and wants a person's word.
    enum Warnings: Sendable, Hashable {
        case refuse
        case accept
        /// Only warnings of these names are accepted; Tryton adds the document, before it with a dot, in 6.0 behind it with an underscore.
        case acceptSome([String])
        /// As before; of the others a person in Tryton is asked, and the document waits for them.
        case ask([String])

        /// From what a configuration says: `refuse`, `accept`, `ask`, names.
        init(_ text: String) {
            let words = text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
            let names = words.filter { $0 != "ask" }
            self =
                switch text {
                case "refuse": .refuse
                case "accept": .accept
                default: words.contains("ask") ? .ask(names) : .acceptSome(names)
                }
        }

        /// A person is asked where it is not accepted.
        var asks: Bool { if case .ask = self { true } else { false } }

        func accepts(_ name: String) -> Bool {
            switch self {
            case .refuse: false
            case .accept: true
            case .acceptSome(let names), .ask(let names):
                names.contains { name == $0 || name.hasSuffix("." + $0) || name.hasPrefix($0 + "_") }
            }
        }
    }

    private enum Answer: String, CaseIterable { case yes, no }

    /// How far the driver takes an order that it has made.
    enum OrderState: String, Sendable, CaseIterable, Comparable {
        case draft, quotation, confirmed, processing

        static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    var http: HTTPSettings
    var database: String
    var user: String
    var password: String
    var series: Series
    /// Tryton's number of the company whose terms, limits and prices shared documents show.
    var company: Int64?
    var companies: [CompanyID: Int64]
    var warnings: Warnings
    var orders: OrderState
    /// Each company's terms of a party are a document of their own.
    var hasAccounts: Bool
    var language: String
    /// The type that a tax number gets in Tryton where it is new.
    var taxNumberType: String
    /// Names of what new products get where the delivery does not say.
    var unit: String
    var accountCategory: String?
    var settleTime: Duration
    var answerTime: Duration
    var concurrentCalls: Int
    var pollTime: Duration
    /// Changed records that one look goes through, of each kind.
    var changesAtOnce = 20_000
    /// No transaction of Tryton's takes longer than this between its start and its commit; what does may be missed.
    var overlap: Duration

    static let descriptions = [
        SettingDescription("url", "the server's address with the database: https://erp.example/tryton", isRequired: true),
        SettingDescription("user", "the login name of the hub's own user", isRequired: true),
        SettingDescription("password", "that user's password", isRequired: true, isSecret: true),
        SettingDescription("version", "the server's series, 8.0 or 6.0 (8.0)"),
        SettingDescription("company", "Tryton's number of the company whose terms, limits and prices are exchanged (the first)"),
        SettingDescription(
            "warnings", "what to do where Tryton warns: refuse, accept, ask, or names to accept: credit_limit_amount (refuse)"),
        SettingDescription("orders", "how far new orders are taken: draft, quotation, confirmed or processing (processing)"),
        SettingDescription("accounts", "each company's limit and price list of a party as documents of their own: yes or no (no)"),
        SettingDescription("language", "the language of texts that Tryton translates (en)"),
        SettingDescription("taxNumberType", "the type of new tax numbers (eu_vat)"),
        SettingDescription("unit", "the unit of new products that name none (Unit)"),
        SettingDescription("accountCategory", "the accounting category of new products: without one they cannot be invoiced"),
        SettingDescription("settleSeconds", "after this time a call without an answer takes effect no more (60)"),
        SettingDescription("answerSeconds", "how long the hub waits for an answer (20)"),
        SettingDescription("calls", "calls at once (4)"),
        SettingDescription("pollMilliseconds", "between two looks for changes (2000)"),
        SettingDescription("overlapSeconds", "the longest transaction that is sure to be noticed (60)"),
        SettingDescription("authorities", "a PEM file with the trusted certificate authorities (the system's)", isPath: true),
    ]

    init(_ settings: DriverSettings) throws(DriverError) {
        let values = settings.values
        func mistake(_ text: String) -> DriverError { DriverError(.configuration, "\(settings.application): \(text)") }
        func choice<T: RawRepresentable & CaseIterable>(_ name: String, _ otherwise: T) throws(DriverError) -> T
        where T.RawValue == String {
            guard let text = values[name] else { return otherwise }
            guard let value = T(rawValue: text) else {
                throw mistake("\(name) is one of \(T.allCases.map(\.rawValue).joined(separator: ", ")), not \(text).")
            }
            return value
        }
        concurrentCalls = try settings.number("calls", 4, 1...64)
        http = try HTTPSettings(url: try settings.required("url"), connections: concurrentCalls + 1, authorities: values["authorities"])
        guard let slash = http.base.lastIndex(of: "/"), !http.base[..<slash].hasSuffix("/"), !http.base.hasSuffix("/") else {
            throw mistake("url names no database: write https://erp.example/database.")
        }
        database = String(http.base[http.base.index(after: slash)...])
        http.base = String(http.base[..<slash])
        user = try settings.required("user")
        password = try settings.required("password")
        series = try choice("version", Series.v8)
        companies = [:]
        for (company, name) in settings.companies {
            guard let id = Int64(name), id > 0 else { throw mistake("company \(company) is a number in Tryton, not \(name).") }
            companies[company] = id
        }
        company = values["company"] == nil ? nil : Int64(try settings.number("company", 0, 1...Int.max))
        if company == nil { company = companies.min { $0.key < $1.key }?.value }
        warnings = Warnings(values["warnings"] ?? "refuse")
        orders = try choice("orders", OrderState.processing)
        hasAccounts = try choice("accounts", Answer.no) == .yes
        language = values["language"] ?? "en"
        taxNumberType = values["taxNumberType"] ?? "eu_vat"
        unit = values["unit"] ?? "Unit"
        accountCategory = values["accountCategory"].flatMap { $0.isEmpty ? nil : $0 }
        settleTime = .seconds(try settings.number("settleSeconds", 60, 1...3600))
        answerTime = .seconds(try settings.number("answerSeconds", 20, 1...600))
        pollTime = .milliseconds(try settings.number("pollMilliseconds", 2000, 10...600_000))
        overlap = .seconds(try settings.number("overlapSeconds", 60, 1...3600))
    }
}
