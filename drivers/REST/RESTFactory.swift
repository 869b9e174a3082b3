import FoundationEssentials
import HTTPApplication
package import HubDriver
import HubModel

/// Makes the driver `rest`: any system with a REST interface, by a recipe file.
package enum RESTFactory: DriverFactory {
    package static let name = "rest"

    package static let settings: [SettingDescription] = [
        SettingDescription("recipe", "the recipe file that describes the system", isRequired: true, isPath: true),
        SettingDescription("url", "the system's address, where the recipe does not know it"),
        SettingDescription("mappings", "the folder of its mappings, where that is not mappings/ beside the recipe", isPath: true),
        SettingDescription("user", "the user, for a recipe with basic authentication"),
        SettingDescription("password", "the user's password", isSecret: true),
        SettingDescription("token", "the token, for a recipe with bearer authentication", isSecret: true),
        SettingDescription("key", "the key, for a recipe with a key header", isSecret: true),
        SettingDescription("clientId", "the client, for a recipe with OAuth 2.0"),
        SettingDescription("clientSecret", "the client's secret", isSecret: true),
        SettingDescription("authorities", "a PEM file with the certificate authorities to trust, instead of the system's", isPath: true),
        SettingDescription("answerMilliseconds", "how long the hub waits for an answer (as the recipe says)"),
        SettingDescription("settleMilliseconds", "after this time a call takes effect no more (as the recipe says)"),
        SettingDescription("pollMilliseconds", "between looks for changes where nothing was new (as the recipe says)"),
        SettingDescription("overlapSeconds", "how far each look for changes goes back (as the recipe says)"),
        SettingDescription("sweepSeconds", "between comparisons of lists of keys, which find deletions (as the recipe says)"),
    ]

    /// A recipe may have settings of its own, which its paths use.
    package static let acceptsOtherSettings = true

    package static let mappings: [BuiltinMapping] = []

    package static func mappings(_ settings: DriverSettings) throws(DriverError) -> [BuiltinMapping] {
        if let named = settings.values["mappings"] {
            guard let mappings = try BuiltinMapping.all(inFolder: named) else {
                throw DriverError(.configuration, "there is no folder \(named)")
            }
            return mappings
        }
        return try folder(settings).flatMap { (folder) throws(DriverError) in try BuiltinMapping.all(inFolder: folder + "/mappings") } ?? []
    }

    /// The JSON Schema of a native type beside the recipe: `schemas/<native type>.schema.json`.
    package static func schema(native: String, _ settings: DriverSettings) -> [UInt8]? {
        guard let folder = folder(settings), !native.contains("/") else { return nil }
        return FileManager.default.contents(atPath: "\(folder)/schemas/\(native).schema.json").map { Array($0) }
    }

    private static func folder(_ settings: DriverSettings) -> String? {
        guard let file = settings.values["recipe"], let slash = file.lastIndex(of: "/") else { return nil }
        return String(file[..<slash])
    }

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        var recipe = try recipe(settings)
        recipe.answerTime = try time(settings, "answerMilliseconds") ?? recipe.answerTime
        recipe.settleTime = try time(settings, "settleMilliseconds") ?? recipe.settleTime
        recipe.poll = try time(settings, "pollMilliseconds") ?? recipe.poll
        recipe.overlap = try time(settings, "overlapSeconds", unit: 1000) ?? recipe.overlap
        recipe.sweep = try time(settings, "sweepSeconds", unit: 1000) ?? recipe.sweep
        var variables: [String: String] = [:]
        for name in recipe.settings { variables[name] = try required(settings, name, "the recipe's paths use it") }
        guard let url = settings.values["url"].flatMap({ $0.isEmpty ? nil : $0 }) ?? recipe.url else {
            throw DriverError(.configuration, "\(settings.application) needs the setting url: the recipe knows no address.")
        }
        let base = try httpSettings(url, recipe, settings)
        let http = HTTPConnection(base)
        let credentials = try credentials(recipe, settings, base, http, variables)
        let client = RESTClient(recipe: recipe, http: http, credentials: credentials, variables: variables)
        let companies = settings.companies.sorted { $0.key < $1.key }.map(\.value)
        let driver = RESTDriver(client: client, companies: companies)
        let contradictions = driver.manifest.contradictions(looksUp: true, reads: true)
        guard contradictions.isEmpty else {
            throw DriverError(
                .configuration,
                "\(settings.values["recipe"] ?? ""): the recipe contradicts itself: \(contradictions.joined(separator: "; "))")
        }
        return driver.capable
    }

    private static func recipe(_ settings: DriverSettings) throws(DriverError) -> Recipe {
        let file = try required(settings, "recipe", "the file that describes the system")
        guard let data = FileManager.default.contents(atPath: file), let text = String(validating: data, as: UTF8.self) else {
            throw DriverError(.configuration, "\(settings.application): the recipe \(file) cannot be read, or is not UTF-8.")
        }
        return try RecipeReader.recipe(text, file: file)
    }

    private static func httpSettings(_ url: String, _ recipe: Recipe, _ settings: DriverSettings) throws(DriverError) -> HTTPSettings {
        try HTTPSettings(
            url: url, connections: recipe.limits.concurrentCalls, connectTime: min(recipe.answerTime, .seconds(5)),
            authorities: settings.values["authorities"])
    }

    // MARK: Settings

    private static func required(_ settings: DriverSettings, _ name: String, _ why: String) throws(DriverError) -> String {
        guard let value = settings.values[name], !value.isEmpty else {
            throw DriverError(.configuration, "\(settings.application) needs the setting \(name): \(why).")
        }
        return value
    }

    private static func time(_ settings: DriverSettings, _ name: String, unit: Int64 = 1) throws(DriverError) -> Duration? {
        guard let text = settings.values[name], !text.isEmpty else { return nil }
        let least: Int64 = unit == 1 ? 1 : 0
        guard let value = Int64(text), value >= least, value < 1 << 32 else {
            throw DriverError(.configuration, "\(settings.application): \(name) has to be a whole number from \(least), not \(text).")
        }
        return .milliseconds(value * unit)
    }

    /// A secret; files with one mostly end with a line break, which a header cannot hold.
    private static func secret(_ settings: DriverSettings, _ name: String, _ why: String) throws(DriverError) -> String {
        let text = try required(settings, name, why)
        var secret = text
        while secret.last?.isNewline == true { secret.removeLast() }
        guard secret.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw DriverError(.configuration, "\(settings.application): \(name) holds control characters.")
        }
        return secret
    }

    private static func credentials(
        _ recipe: Recipe, _ settings: DriverSettings, _ base: HTTPSettings, _ http: HTTPConnection, _ variables: [String: String]
    ) throws(DriverError) -> Credentials {
        let why = "the recipe's authentication"
        switch recipe.authentication {
        case .none: return Credentials(header: nil, source: nil)
        case .basic:
            let value = Credentials.basic(try required(settings, "user", why), try secret(settings, "password", why))
            return Credentials(header: HTTPCall.Header("Authorization", value), source: nil)
        case .bearer:
            return Credentials(header: HTTPCall.Header("Authorization", "Bearer \(try secret(settings, "token", why))"), source: nil)
        case .header(let name): return Credentials(header: HTTPCall.Header(name, try secret(settings, "key", why)), source: nil)
        case .oauth(let oauth):
            guard let address = oauth.token.plain(variables) else {
                throw DriverError(.configuration, "\(settings.application): the address of tokens needs settings that are not there.")
            }
            var (connection, path) = (http, address)
            if !address.hasPrefix("/") {
                let parts = address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
                path = parts.count == 4 ? "/" + parts[3] : "/"
                connection = HTTPConnection(try httpSettings(parts.prefix(3).joined(separator: "/"), recipe, settings))
            }
            let source = Credentials.TokenSource(
                http: connection, path: path, scope: oauth.scope, isInBody: oauth.isInBody,
                client: try required(settings, "clientId", why), secret: try secret(settings, "clientSecret", why),
                time: recipe.answerTime)
            return Credentials(header: nil, source: source)
        }
    }
}
