<#
.SYNOPSIS
Installs fluxtower from this unpacked archive for the user that runs it, without administrator's rights.

.DESCRIPTION
Copies the program to a folder, adds that to the user's PATH, and makes a start menu entry for the station's page. An older
version there is replaced. Configuration and database in the folder are never touched, neither here nor by -Remove.

A task that starts with the computer needs administrator's rights once: fluxtower schedule --watch --install. Without them,
-AtLogon starts the program when the user logs on.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File install.ps1
.EXAMPLE
powershell -ExecutionPolicy Bypass -File install.ps1 -Init C:\Campbellsci\LoggerNet -Station US-UMB -UtcOffset -05:00 -AtLogon
.EXAMPLE
powershell -ExecutionPolicy Bypass -File install.ps1 -Remove
#>
[CmdletBinding()]
param(
    # Where program, configuration and database lie.
    [string]$Folder = (Join-Path $env:LOCALAPPDATA 'fluxtower'),
    # Write the configuration from the headers of LoggerNet's files in this folder, unless there is one.
    [string]$Init,
    [string]$Station,
    [string]$UtcOffset,
    # Start "run --watch" when the user logs on.
    [switch]$AtLogon,
    # Take the program away.
    [switch]$Remove
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2

$Folder = [IO.Path]::GetFullPath($Folder)
$program = Join-Path $Folder 'fluxtower.exe'
$config = Join-Path $Folder 'config.toml'
# What an archive has. The rest of the folder is the station's.
$files = 'fluxtower.exe', 'install.ps1', 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE-MIT', 'LICENSE-APACHE', 'LICENCES.txt', 'sbom.cdx.json'
$folders = 'completions', 'docs', 'examples', 'try'
$menu = Join-Path ([Environment]::GetFolderPath('Programs')) 'fluxtower.lnk'
$logon = Join-Path ([Environment]::GetFolderPath('Startup')) 'fluxtower.lnk'

# The user's PATH as it is written, with its %variables%.
function Set-UserPath([bool]$With) {
    $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true)
    $old = [string]$key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
    $parts = @($old.Split(';') | Where-Object { $_ -and $_.TrimEnd('\') -ne $Folder.TrimEnd('\') })
    if ($With) { $parts += $Folder }
    $new = $parts -join ';'
    if ($new -ne $old) {
        $key.SetValue('Path', $new, [Microsoft.Win32.RegistryValueKind]::ExpandString)
        # This call says to open programs that the environment changed; the variable is not there.
        [Environment]::SetEnvironmentVariable('FLUXTOWER_NO_SUCH_VARIABLE', $null, 'User')
    }
    $key.Close()
}

function New-Link([string]$Path, [string]$Arguments) {
    $link = (New-Object -ComObject WScript.Shell).CreateShortcut($Path)
    $link.TargetPath = $program
    $link.Arguments = $Arguments
    $link.WorkingDirectory = $Folder
    # Minimised: its window shows what it says, and closing it ends it.
    $link.WindowStyle = 7
    $link.Save()
}

# A program that runs cannot be replaced. Nothing is lost when it is ended.
function Stop-Running {
    $running = @(Get-Process fluxtower -ErrorAction SilentlyContinue | Where-Object { $_.Path -eq $program })
    if ($running.Count) {
        $running | Stop-Process -Force
        $running | Wait-Process -Timeout 30
    }
    return $running.Count -gt 0
}

$wasRunning = Stop-Running
if ($Remove) {
    foreach ($link in $menu, $logon) { if (Test-Path $link) { Remove-Item $link } }
    Set-UserPath $false
    foreach ($name in $files) { Remove-Item -LiteralPath (Join-Path $Folder $name) -ErrorAction SilentlyContinue }
    foreach ($name in $folders) { Remove-Item -LiteralPath (Join-Path $Folder $name) -Recurse -ErrorAction SilentlyContinue }
    if ((Test-Path $Folder) -and -not (Get-ChildItem $Folder -Force)) { Remove-Item $Folder }
    if (Test-Path $config) { "fluxtower is removed; configuration and database are kept in $Folder" } else { 'fluxtower is removed' }
    exit 0
}

if (-not (Test-Path (Join-Path $PSScriptRoot 'fluxtower.exe'))) { throw "fluxtower.exe is not beside this script: run it in the unpacked archive" }
New-Item -ItemType Directory -Force $Folder | Out-Null
foreach ($name in $files + $folders) {
    $source = Join-Path $PSScriptRoot $name
    if (Test-Path $source) { Copy-Item -LiteralPath $source -Destination $Folder -Recurse -Force }
}
Set-UserPath $true
New-Link $menu "serve --open --config `"$config`""
"installed: $program; a new command window finds it as fluxtower"

if ($Init -and (Test-Path $config)) {
    "$config is kept as it is"
} elseif ($Init) {
    $arguments = @('init', $Init, '--output', $config)
    if ($Station) { $arguments += '--station', $Station }
    if ($UtcOffset) { $arguments += "--utc-offset=$UtcOffset" }
    & $program $arguments
    if ($LASTEXITCODE -gt 1) { exit $LASTEXITCODE }
}
if ($AtLogon) {
    New-Link $logon "run --watch --quiet --config `"$config`""
    "it starts when you log on"
}
# What was running, and what is to run from now on.
if (($wasRunning -and (Test-Path $logon)) -or $AtLogon) { Start-Process $logon }
