package import ArgumentParser
internal import Glibc

/// Runs a program with its command line, and exits.
///
/// - Parameters:
///   - examples: What is printed for an empty command line, which says too little; nil = it is
///     enough.
///   - translate: Replaces what users of other programs type.
package func start<Command: ParsableCommand>(
    _ command: Command.Type, examples: String?, translate: ([String]) -> [String] = { $0 }
) {
    limitArenas()
    let arguments = withNegativeValues(translate(Array(CommandLine.arguments.dropFirst())))
    if arguments.isEmpty, let examples {
        printLines(examples)
        exit(ExitCode.validationFailure.rawValue)
    }
    let check = CommandLineCheck(help: command.helpMessage(for: command, includeHidden: true, columns: 1_000))
    if let complaint = check.unknownOption(in: arguments) {
        printLines("Error: \(complaint)\n  See '\(command._commandName) --help' for more information.")
        exit(ExitCode.validationFailure.rawValue)
    }
    if ProgressForm(of: STDOUT_FILENO) == .statusLine || ProgressForm(of: STDERR_FILENO) == .statusLine {
        watchTerminalSize(redrawStatus)
    }
    do {
        var parsed = try command.parseAsRoot(arguments)
        try parsed.run()
    } catch {
        let message = command.message(for: error)
        guard let range = CommandLineCheck.range(for: message) else { command.exit(withError: error) }
        printLines(command.fullMessage(for: error).replacing(message, with: "\(message): \(range)", maxReplacements: 1))
        exit(ExitCode.validationFailure.rawValue)
    }
}

/// Joins `--option -5` to `--option=-5`, so that a value out of its range is refused as that, and not
/// taken for another option.
func withNegativeValues(_ arguments: [String]) -> [String] {
    arguments.reduce(into: []) { result, argument in
        let isNumber = argument.first == "-" && argument.dropFirst().first?.isNumber == true
        guard isNumber, let option = result.last, option.hasPrefix("--"), option.count > 2, !option.contains("=") else {
            return result.append(argument)
        }
        result[result.count - 1] = "\(option)=\(argument)"
    }
}

private func printLines(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { printNote(String(line)) }
}
