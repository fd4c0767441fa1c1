; The installer for Windows: makensis -DVERSION=... -DFOLDER=<the unpacked archive> -DOUT=<installer> fluxtower.nsi
;
; Everything of a station lies in one folder, as in README.md: the program, and beside it the configuration and the database
; that `init` and `run` make. Installation and removal touch the program's own files only, so both keep the others.
;
;   fluxtower-setup.exe /S [/D=C:\folder]      without questions: program, PATH and start menu; no schedule
;   uninstall.exe /S                           the same for removal
;
; It asks for administrator's rights; install.ps1 in the archive needs none.

; As the program: 64 bits.
Target amd64-unicode
!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "WinMessages.nsh"

Name "fluxtower ${VERSION}"
OutFile "${OUT}"
InstallDir "C:\fluxtower"
InstallDirRegKey HKLM "Software\fluxtower" "Folder"
RequestExecutionLevel admin
SetCompressor /SOLID lzma
ShowInstDetails show
BrandingText "fluxtower ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "fluxtower"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Installs fluxtower"
VIAddVersionKey LegalCopyright "MIT OR Apache-2.0"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\fluxtower"
!define ENVIRONMENT "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"

Var Loggernet
Var LoggernetField

!define MUI_WELCOMEPAGE_TEXT "fluxtower carries LoggerNet's .DAT files to InfluxDB and loses no record on the way.$\r$\n$\r$\nAn older version is replaced. Configuration and database in its folder stay as they are."
!define MUI_COMPONENTSPAGE_SMALLDESC
; What init and schedule said can be read before it goes on.
!define MUI_FINISHPAGE_NOAUTOCLOSE
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_COMPONENTS
Page custom LoggernetPage LoggernetLeave
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; What a program says is shown as it is.
!macro Call_ What Command
  DetailPrint "${What}"
  nsExec::ExecToLog '${Command}'
  Pop $0
  ${If} $0 <> 0
    DetailPrint "It ended with $0: the lines above say why."
  ${EndIf}
!macroend

; PATH of the computer, with or without the folder. NSIS cuts texts off at 1024 characters and a PATH may be longer, so it
; never becomes a text of NSIS: Windows' own functions work on it where it lies. It is looked at as ;one;two;, so that a folder
; is found whole; its type stays (REG_EXPAND_SZ keeps its %variables%).
!macro Path_ Mode
  StrCpy $R9 failed
  System::Call 'advapi32::RegOpenKeyExW(p 0x80000002, w "${ENVIRONMENT}", i 0, i 0x2001F, *p .R0) i .r0'
  ${If} $0 = 0
    System::Call 'advapi32::RegQueryValueExW(p R0, w "Path", p 0, *i .R3, p 0, *i .R2) i .r0'
    ${If} $0 <> 0
      StrCpy $R2 0
      StrCpy $R3 2
    ${EndIf}
    IntOp $1 $R2 + 8192
    System::Alloc $1
    Pop $R1
    System::Call 'kernel32::lstrcpyW(p R1, w ";")'
    ${If} $R2 > 0
      IntPtrOp $R4 $R1 + 2
      System::Call 'advapi32::RegQueryValueExW(p R0, w "Path", p 0, p 0, p R4, *i R2) i .r0'
    ${EndIf}
    System::Call 'kernel32::lstrcatW(p R1, w ";")'
    System::Call 'shlwapi::StrStrIW(p R1, w ";$INSTDIR;") p .R4'
    !if ${Mode} == add
      ${If} $R4 P= 0
        System::Call 'kernel32::lstrcatW(p R1, w "$INSTDIR;")'
      ${EndIf}
    !else
      ${If} $R4 P<> 0
        ; The rest of it, from the semicolon behind the folder on, is moved to the one before it.
        StrLen $1 ";$INSTDIR"
        IntOp $1 $1 * 2
        IntPtrOp $R5 $R4 + $1
        System::Call 'kernel32::lstrlenW(p R5) i .r1'
        IntOp $1 $1 + 1
        IntOp $1 $1 * 2
        System::Call 'ntdll::memmove(p R4, p R5, p r1)'
      ${EndIf}
    !endif
    ; Without the first and the last semicolon, with the zero at its end.
    System::Call 'kernel32::lstrlenW(p R1) i .r1'
    IntOp $2 $1 - 1
    IntOp $2 $2 * 2
    IntPtrOp $R5 $R1 + $2
    System::Call '*$R5(&i2 0)'
    IntPtrOp $R5 $R1 + 2
    System::Call 'advapi32::RegSetValueExW(p R0, w "Path", i 0, i R3, p R5, i r2) i .r0'
    ${If} $0 = 0
      StrCpy $R9 done
    ${EndIf}
    System::Free $R1
    System::Call 'advapi32::RegCloseKey(p R0)'
    SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=5000
  ${EndIf}
  ${If} $R9 == failed
    DetailPrint "PATH was not changed ($0): call the program as $INSTDIR\fluxtower.exe"
  ${EndIf}
!macroend

Section "Program" Program
  SectionIn RO
  SetOutPath "$INSTDIR"
  ; A program that runs cannot be overwritten and can be renamed. Its task is ended afterwards, and Task Scheduler starts the new
  ; one within a minute.
  Delete "$INSTDIR\fluxtower.exe.old"
  Rename "$INSTDIR\fluxtower.exe" "$INSTDIR\fluxtower.exe.old"
  File /r "${FOLDER}\*"
  ${If} ${FileExists} "$INSTDIR\fluxtower.exe.old"
    nsExec::Exec 'schtasks /End /TN fluxtower'
    Pop $0
    Sleep 1000
    Delete /REBOOTOK "$INSTDIR\fluxtower.exe.old"
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKLM "Software\fluxtower" "Folder" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "fluxtower"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKLM "${UNINSTALL}" "NoRepair" 1
SectionEnd

Section "Add it to PATH" AddPath
  !insertmacro Path_ add
SectionEnd

Section "Start menu: the station's page" Menu
  SetShellVarContext all
  CreateDirectory "$SMPROGRAMS\fluxtower"
  CreateShortcut "$SMPROGRAMS\fluxtower\Station.lnk" "$INSTDIR\fluxtower.exe" 'serve --open --config "$INSTDIR\config.toml"' "$INSTDIR\fluxtower.exe" 0 SW_SHOWMINIMIZED
  CreateShortcut "$SMPROGRAMS\fluxtower\Documentation.lnk" "$INSTDIR\docs"
  CreateShortcut "$SMPROGRAMS\fluxtower\Remove fluxtower.lnk" "$INSTDIR\uninstall.exe"
SectionEnd

; The two that follow are offered and not chosen: what they do depends on the station.
Section /o "Write the configuration (init)" Init
  ${If} ${FileExists} "$INSTDIR\config.toml"
    DetailPrint "$INSTDIR\config.toml is kept as it is"
  ${Else}
    !insertmacro Call_ "The configuration is written from the headers below $Loggernet" '"$INSTDIR\fluxtower.exe" init "$Loggernet" --output "$INSTDIR\config.toml"'
  ${EndIf}
SectionEnd

Section /o "Start it with the computer (schedule)" Schedule
  !insertmacro Call_ "Task Scheduler is told" '"$INSTDIR\fluxtower.exe" --config "$INSTDIR\config.toml" schedule --watch --install'
SectionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${Program} "fluxtower.exe, documentation, samples."
  !insertmacro MUI_DESCRIPTION_TEXT ${AddPath} "So that a command window finds fluxtower."
  !insertmacro MUI_DESCRIPTION_TEXT ${Menu} "Opens the page of the station in the browser."
  !insertmacro MUI_DESCRIPTION_TEXT ${Init} "fluxtower init reads LoggerNet's files and writes config.toml, unless there is one."
  !insertmacro MUI_DESCRIPTION_TEXT ${Schedule} "fluxtower schedule --watch --install: Task Scheduler starts it at boot, and again when it ends."
!insertmacro MUI_FUNCTION_DESCRIPTION_END

; Where LoggerNet's files are, if a configuration is to be written.
Function LoggernetPage
  ${IfNot} ${SectionIsSelected} ${Init}
    Abort
  ${EndIf}
  !insertmacro MUI_HEADER_TEXT "LoggerNet's files" "The configuration is written from their headers."
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateLabel} 0 0 100% 24u "Folder with LoggerNet's .DAT files. Folders below it are looked through too."
  Pop $0
  ${NSD_CreateDirRequest} 0 28u 80% 13u "$Loggernet"
  Pop $LoggernetField
  ${NSD_CreateBrowseButton} 82% 27u 18% 15u "Browse..."
  Pop $0
  ${NSD_OnClick} $0 LoggernetBrowse
  nsDialogs::Show
FunctionEnd

Function LoggernetBrowse
  nsDialogs::SelectFolderDialog "Folder with LoggerNet's .DAT files" "$Loggernet"
  Pop $0
  ${If} $0 != error
    ${NSD_SetText} $LoggernetField $0
  ${EndIf}
FunctionEnd

Function LoggernetLeave
  ${NSD_GetText} $LoggernetField $Loggernet
FunctionEnd

Function .onInit
  StrCpy $Loggernet "C:\Campbellsci\LoggerNet"
FunctionEnd

Section "Uninstall"
  nsExec::Exec 'schtasks /End /TN fluxtower'
  Pop $0
  Sleep 1000
  !insertmacro Call_ "The task of Task Scheduler is taken away, if there is one" 'schtasks /Delete /TN fluxtower /F'
  !insertmacro Path_ remove
  SetShellVarContext all
  RMDir /r "$SMPROGRAMS\fluxtower"
  ; By name, and folders only that an archive has: what else lies here is the station's.
  Delete /REBOOTOK "$INSTDIR\fluxtower.exe"
  Delete /REBOOTOK "$INSTDIR\fluxtower.exe.old"
  Delete "$INSTDIR\install.ps1"
  Delete "$INSTDIR\README.md"
  Delete "$INSTDIR\CONTRIBUTING.md"
  Delete "$INSTDIR\CHANGELOG.md"
  Delete "$INSTDIR\LICENSE-MIT"
  Delete "$INSTDIR\LICENSE-APACHE"
  Delete "$INSTDIR\LICENCES.txt"
  Delete "$INSTDIR\sbom.cdx.json"
  RMDir /r "$INSTDIR\completions"
  RMDir /r "$INSTDIR\docs"
  RMDir /r "$INSTDIR\examples"
  RMDir /r "$INSTDIR\try"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKLM "${UNINSTALL}"
  DeleteRegKey HKLM "Software\fluxtower"
SectionEnd
