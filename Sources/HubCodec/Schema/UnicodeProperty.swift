/// What `\p{…}` can ask of a code point: general categories, some two-valued properties, and the scripts most written in business texts.
enum UnicodeProperty: Sendable {
    case categories(Set<Unicode.GeneralCategory>)
    case truth(@Sendable (Unicode.Scalar.Properties) -> Bool)
    case ranges([ClosedRange<UInt32>])

    /// From the text between the braces; nil where it means nothing known here.
    init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            switch parts[0] {
            case "gc", "General_Category":
                guard let categories = Self.categories[String(parts[1])] else { return nil }
                self = .categories(categories)
            case "sc", "Script", "scx", "Script_Extensions":
                guard let ranges = Self.scripts[String(parts[1])] else { return nil }
                self = .ranges(ranges)
            default: return nil
            }
        } else if let categories = Self.categories[text] {
            self = .categories(categories)
        } else if let truth = Self.truths[text] {
            self = .truth(truth)
        } else if text == "Any" {
            self = .ranges([0...0x10FFFF])
        } else if text == "ASCII" {
            self = .ranges([0...0x7F])
        } else {
            return nil
        }
    }

    func contains(_ scalar: UInt32) -> Bool {
        guard let character = Unicode.Scalar(scalar) else { return false }
        switch self {
        case .categories(let categories): return categories.contains(character.properties.generalCategory)
        case .truth(let truth): return truth(character.properties)
        case .ranges(let ranges): return ranges.contains { $0.contains(scalar) }
        }
    }

    private static let categories: [String: Set<Unicode.GeneralCategory>] = {
        let single: [(String, String, Unicode.GeneralCategory)] = [
            ("Lu", "Uppercase_Letter", .uppercaseLetter), ("Ll", "Lowercase_Letter", .lowercaseLetter),
            ("Lt", "Titlecase_Letter", .titlecaseLetter), ("Lm", "Modifier_Letter", .modifierLetter), ("Lo", "Other_Letter", .otherLetter),
            ("Mn", "Nonspacing_Mark", .nonspacingMark), ("Mc", "Spacing_Mark", .spacingMark), ("Me", "Enclosing_Mark", .enclosingMark),
            ("Nd", "Decimal_Number", .decimalNumber), ("Nl", "Letter_Number", .letterNumber), ("No", "Other_Number", .otherNumber),
            ("Pc", "Connector_Punctuation", .connectorPunctuation), ("Pd", "Dash_Punctuation", .dashPunctuation),
            ("Ps", "Open_Punctuation", .openPunctuation), ("Pe", "Close_Punctuation", .closePunctuation),
            ("Pi", "Initial_Punctuation", .initialPunctuation), ("Pf", "Final_Punctuation", .finalPunctuation),
            ("Po", "Other_Punctuation", .otherPunctuation), ("Sm", "Math_Symbol", .mathSymbol), ("Sc", "Currency_Symbol", .currencySymbol),
            ("Sk", "Modifier_Symbol", .modifierSymbol), ("So", "Other_Symbol", .otherSymbol), ("Zs", "Space_Separator", .spaceSeparator),
            ("Zl", "Line_Separator", .lineSeparator), ("Zp", "Paragraph_Separator", .paragraphSeparator), ("Cc", "Control", .control),
            ("Cf", "Format", .format), ("Cs", "Surrogate", .surrogate), ("Co", "Private_Use", .privateUse),
            ("Cn", "Unassigned", .unassigned),
        ]
        let groups = [
            ("L", "Letter"), ("M", "Mark"), ("N", "Number"), ("P", "Punctuation"), ("S", "Symbol"), ("Z", "Separator"), ("C", "Other"),
        ]
        var table: [String: Set<Unicode.GeneralCategory>] = [:]
        for (short, long, category) in single {
            table[short] = [category]
            table[long] = [category]
        }
        for (short, long) in groups {
            let members = Set(single.filter { $0.0.hasPrefix(short) }.map(\.2))
            table[short] = members
            table[long] = members
        }
        table["LC"] = [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]
        table["Cased_Letter"] = table["LC"]
        table["Combining_Mark"] = table["M"]
        table["digit"] = table["Nd"]
        table["punct"] = table["P"]
        table["cntrl"] = table["Cc"]
        return table
    }()

    private static let truths: [String: @Sendable (Unicode.Scalar.Properties) -> Bool] = [
        "Alphabetic": { $0.isAlphabetic }, "Alpha": { $0.isAlphabetic }, "Uppercase": { $0.isUppercase }, "Upper": { $0.isUppercase },
        "Lowercase": { $0.isLowercase }, "Lower": { $0.isLowercase }, "White_Space": { $0.isWhitespace }, "space": { $0.isWhitespace },
        "Math": { $0.isMath }, "Dash": { $0.isDash }, "Ideographic": { $0.isIdeographic }, "Ideo": { $0.isIdeographic },
        "ID_Start": { $0.isIDStart }, "IDS": { $0.isIDStart }, "ID_Continue": { $0.isIDContinue }, "IDC": { $0.isIDContinue },
        "XID_Start": { $0.isXIDStart }, "XID_Continue": { $0.isXIDContinue }, "Hex_Digit": { $0.isHexDigit },
        "ASCII_Hex_Digit": { $0.isASCIIHexDigit }, "AHex": { $0.isASCIIHexDigit }, "Emoji": { $0.isEmoji },
        "Emoji_Presentation": { $0.isEmojiPresentation }, "Diacritic": { $0.isDiacritic }, "Quotation_Mark": { $0.isQuotationMark },
        "Assigned": { $0.generalCategory != .unassigned }, "Noncharacter_Code_Point": { $0.isNoncharacterCodePoint },
    ]

    /// By blocks, not by single code points.
    private static let scripts: [String: [ClosedRange<UInt32>]] = {
        let list: [(String, String, [ClosedRange<UInt32>])] = [
            (
                "Latin", "Latn",
                [
                    0x41...0x5A, 0x61...0x7A, 0xAA...0xAA, 0xBA...0xBA, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2B8, 0x2E0...0x2E4,
                    0x1D00...0x1D25, 0x1E00...0x1EFF, 0x2C60...0x2C7F, 0xA722...0xA787, 0xFB00...0xFB06, 0xFF21...0xFF3A, 0xFF41...0xFF5A,
                ]
            ),
            ("Greek", "Grek", [0x370...0x373, 0x375...0x377, 0x37A...0x37D, 0x37F...0x384, 0x386...0x3E1, 0x3F0...0x3FF, 0x1F00...0x1FFE]),
            ("Cyrillic", "Cyrl", [0x400...0x484, 0x487...0x52F, 0x1C80...0x1C8A, 0x2DE0...0x2DFF, 0xA640...0xA69F]),
            ("Armenian", "Armn", [0x531...0x58F]),
            ("Hebrew", "Hebr", [0x591...0x5F4, 0xFB1D...0xFB4F]),
            (
                "Arabic", "Arab",
                [
                    0x600...0x604, 0x606...0x60B, 0x60D...0x61A, 0x61C...0x61E, 0x620...0x63F, 0x641...0x64A, 0x656...0x66F,
                    0x671...0x6DC, 0x6DE...0x6FF, 0x750...0x77F, 0x8A0...0x8E1, 0xFB50...0xFDFF, 0xFE70...0xFEFC,
                ]
            ),
            ("Devanagari", "Deva", [0x900...0x950, 0x955...0x963, 0x966...0x97F]),
            ("Thai", "Thai", [0xE01...0xE3A, 0xE40...0xE5B]),
            ("Hangul", "Hang", [0x1100...0x11FF, 0x3131...0x318E, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xD7B0...0xD7FB]),
            ("Hiragana", "Hira", [0x3041...0x3096, 0x309D...0x309F]),
            ("Katakana", "Kana", [0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF6F, 0xFF71...0xFF9D]),
            (
                "Han", "Hani",
                [
                    0x2E80...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029, 0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF,
                    0xF900...0xFAD9, 0x20000...0x323AF,
                ]
            ),
        ]
        var table: [String: [ClosedRange<UInt32>]] = [:]
        for (long, short, ranges) in list {
            table[long] = ranges
            table[short] = ranges
        }
        return table
    }()

    /// The script's code points; empty for a script not known here.
    static func script(_ name: String) -> [ClosedRange<UInt32>] { scripts[name] ?? [] }
}
