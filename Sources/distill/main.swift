import Commands
import Foundation
import Interface

exit(Program.distill.run(Array(CommandLine.arguments.dropFirst()), on: .ofThisProcess()))
